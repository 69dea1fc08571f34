'use strict';
// Loaded into the processes of a recorded command in the place of lib/register.js: the real one,
// with an addon that makes its profile up. What the profile says is told by the process itself:
// globalThis.fake = { samples, binding, error }.

const native = require('../../lib/native.js');
const { BINDING, fakeNative, rawProfile } = require('./cli-support.js');

/** @returns {{ samples?: number, binding?: boolean }} */
const told = () => /** @type {any} */ (globalThis).fake ?? {};

/** @type {Record<string, unknown>} */
let options = {};
native.loadNative = () =>
  fakeNative({
    attachIsolate: () => process.stderr.write('isolate attached\n'),
    start: (/** @type {Record<string, unknown>} */ given) => {
      if (given.event === 'refused') {
        throw Object.assign(new Error('refused in the process'), { code: 'ERR_PROF_PERMISSION' });
      }
      options = given;
      return {};
    },
    stopSync: () =>
      rawProfile({
        modules: told().binding ? [{ path: BINDING, flags: 3 }] : [],
        funcs: [{ name: 'main', kind: 'native' }],
        samples: [{ stack: ['main'], count: told().samples ?? 10 }],
        meta: {
          pid: process.pid,
          ...options,
          requestedEvent: options.event,
          startUnixMs: Date.now(),
        },
      }),
  });

require('../../lib/register.js');
