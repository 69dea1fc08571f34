'use strict';
// For bench/end.js, loaded into a build before anything else: what each step of the profiler's end takes, told
// as JSON in the file END_REPORT. The peak of a step is VmHWM, which the kernel sets back on request.

const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const v8 = require('node:v8');

const LIB = path.join(__dirname, '..', 'lib');
/** @type {Record<string, number>} */
let mappedFirst = {};
/** @type {{name: string, wallMs: number, cpuMs: number, peakBytes: number, rssBytes: number}[]} */
const steps = [];
let began = 0;
let exitBytes = { rss: 0, peak: 0, young: 0 };

/** @param {string} name of a line in /proc/self/status @returns {number} bytes */
function status(name) {
  const text = fs.readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024;
}

/** Bytes of V8's young generation. */
const young = () =>
  v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')
    ?.physical_space_size ?? 0;

/**
 * Resident bytes by what is mapped: files by name, and what malloc, V8 and others have.
 * @returns {Record<string, number>}
 */
function mapped() {
  /** @type {Record<string, number>} */
  const sums = {};
  let name = '';
  for (const line of fs.readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const head = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+\s*(.*)$/.exec(line);
    if (head) name = head[1] === '' ? '[anonymous]' : path.basename(head[1]);
    const rss = /^Rss:\s+(\d+) kB/.exec(line);
    if (rss) sums[name] = (sums[name] ?? 0) + Number(rss[1]) * 1024;
  }
  return sums;
}

/** @template T @param {string} name @param {() => T} work @returns {T} */
function step(name, work) {
  fs.writeFileSync('/proc/self/clear_refs', '5');
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  try {
    return work();
  } finally {
    const { user, system } = process.cpuUsage(cpu);
    const [wallMs, cpuMs] = [performance.now() - wall, (user + system) / 1000];
    steps.push({ name, wallMs, cpuMs, peakBytes: status('VmHWM'), rssBytes: status('VmRSS') });
  }
}

/**
 * @param {any} owner
 * @param {string} method
 * @param {string} name of the step
 */
function measured(owner, method, name) {
  const own = owner[method];
  owner[method] = function wrapped(/** @type {any[]} */ ...given) {
    return step(name, () => own.apply(this, given));
  };
}

/** What to do with a module of ours when it is loaded. @type {Record<string, (module: any) => void>} */
const CHANGES = {
  'native.js': (module) => {
    const own = module.loadNative;
    module.loadNative = (/** @type {any[]} */ ...given) => {
      const native = own(...given);
      return {
        ...native,
        trim: () => step('memory given back', () => native.trim?.()),
        stopSync: (/** @type {any} */ handle) => step('stop in C', () => native.stopSync(handle)),
      };
    };
  },
  'table.js': (module) => {
    measured(module, 'selectRows', 'rows');
    measured(module, 'renderRows', 'table');
  },
  'phase-table.js': (module) => measured(module, 'phasesAbove', 'phases'),
  'hint-table.js': (module) => measured(module, 'hintsBelow', 'hints'),
  'profile/profile.js': (module) => measured(module.Profile.prototype, 'write', 'profile.json.gz'),
  'export/folded-most.js': (module) => measured(module, 'foldedMost', 'profile.folded'),
  'html/report.js': (module) => measured(module, 'htmlReport', 'flamegraph.html'),
  'output.js': (module) => {
    const own = module.writeExitOutput;
    module.writeExitOutput = (/** @type {any[]} */ ...given) => {
      const folder = own(...given);
      const report = { exitBytes, steps, totalMs: performance.now() - began, mapped: mappedFirst };
      fs.writeFileSync(String(process.env.END_REPORT), JSON.stringify(report));
      return folder;
    };
  },
  'session.js': (module) => {
    const own = module.Session.prototype.stopAtExit;
    module.Session.prototype.stopAtExit = function stopAtExit() {
      exitBytes = { rss: status('VmRSS'), peak: status('VmHWM'), young: young() };
      mappedFirst = mapped();
      began = performance.now();
      const profile = own.call(this);
      steps.push({
        ...steps[steps.length - 1],
        name: 'profile',
        wallMs: performance.now() - began,
      });
      return profile;
    };
  },
};

const load = /** @type {any} */ (Module)._load;
const known = new Set();
/** @type {any} */ (Module)._load = function loadChanged(
  /** @type {string} */ request,
  /** @type {any} */ parent,
  /** @type {boolean} */ isMain,
) {
  const exported = load.call(this, request, parent, isMain);
  if (!parent?.filename?.startsWith(LIB) && !request.includes('rspack-prof')) return exported;
  const file = path.relative(LIB, Module.createRequire(parent.filename).resolve(request));
  if (Object.hasOwn(CHANGES, file) && !known.has(file)) {
    known.add(file);
    CHANGES[file](exported);
  }
  return exported;
};
