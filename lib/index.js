'use strict';
// The package's front door. Types: index.d.ts.

const { ProfError } = require('./errors.js');
const { read } = require('./export/index.js');
const { compareSides: compare } = require('./compare/index.js');
const { diff } = require('./profile/diff.js');
const { Profile } = require('./profile/profile.js');
const { loadNative } = require('./native.js');
const profiler = require('./profiler.js');
const { RspackProfPlugin } = require('./plugin.js');
const { createStat } = require('./stat/index.js');
const { trace } = require('./calls/index.js');
const { attachable } = require('./attach/listen.js');
const { nameThisThread } = require('./worker.js');

/** @param {import('./index').StartOptions} [options] */
const start = (options) => profiler.start(options);
const { status, events } = profiler;
const stat = createStat({ native: () => loadNative() });

nameThisThread();

// Plain shorthand names: that is what node finds for `import { start } from 'rspack-prof'`.
module.exports = {
  start,
  attachable,
  stat,
  trace,
  read,
  diff,
  compare,
  status,
  events,
  Profile,
  ProfError,
  RspackProfPlugin,
};
