'use strict';
// The package's front door. Types: index.d.ts.

const { ProfError } = require('./errors.js');
const { Profile } = require('./profile/profile.js');
const { loadNative } = require('./native.js');
const profiler = require('./profiler.js');
const { RspackProfPlugin } = require('./plugin.js');
const { nameThisThread } = require('./worker.js');

/** @param {import('./index').StartOptions} [options] */
const start = (options) => profiler.start(options);
const { status, events } = profiler;

// A build that only calls start() loads nothing of these.
/** @type {typeof import('./export/index').read} */
const read = (file) => require('./export/index.js').read(file);
/** @type {typeof import('./profile/diff').diff} */
const diff = (...given) => require('./profile/diff.js').diff(...given);
/** @type {ReturnType<typeof import('./stat/index').createStat>} */
const stat = (...given) =>
  require('./stat/index.js').createStat({ native: () => loadNative() })(...given);
/** @type {typeof import('./compare/index').compareSides} */
const compare = (options) => require('./compare/index.js').compareSides(options);
/** @type {typeof import('./attach/listen').attachable} */
const attachable = (...given) => require('./attach/listen.js').attachable(...given);
/** @type {typeof import('./calls/index').trace} */
const trace = (...given) => require('./calls/index.js').trace(...given);

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
