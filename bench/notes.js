'use strict';
// What it costs a build to have its plugins and loaders noted (lib/phases/follow.js): the time of each
// reading, and of one counted call of a tap, with a journal that has the counts and without, beside the
// same call uncounted.
//   node bench/notes.js [--case NAME] [--runs N]

const { parseArgs } = require('node:util');
const { median } = require('simple-statistics');
const { buildHere } = require('./in-process.js');
const { measure } = require('./measure.js');
const { generate } = require('./workloads/generate.js');
const { JournalNotes } = require('../lib/journal-notes.js');
const { loadNative } = require('../lib/native.js');
const { CompilerNotes } = require('../lib/phases/follow.js');
const { BuildRecord } = require('../lib/phases/notes.js');

/** @param {string} folder */
async function build(folder) {
  const spent = { ready: 0, compilation: 0, readTaps: 0 };
  for (const name of /** @type {(keyof typeof spent)[]} */ (Object.keys(spent))) {
    const own = CompilerNotes.prototype[name];
    /** @type {any} */ (CompilerNotes.prototype)[name] = function (/** @type {any[]} */ ...args) {
      const start = performance.now();
      const result = Reflect.apply(own, this, args);
      spent[name] += performance.now() - start;
      return result;
    };
  }
  loadNative(); // a recording has it loaded
  const watch = require('../lib/phases/index.js').watchPhases();
  const { hooks } = /** @type {any} */ (await buildHere(folder));
  const { constructor: Hook } = hooks.done;
  const { taps, loaders } = watch.notes?.() ?? { taps: [], loaders: [] };
  const calls = taps.reduce((sum, tap) => sum + (tap.calls ?? 0), 0);
  const runs = loaders.reduce((sum, loader) => sum + (loader.runs ?? 0), 0);
  // Called as Rust calls: by stage range. One tap, which does nothing.
  const perCall = (/** @type {'plain' | 'counted' | 'journal'} */ how) => {
    const hook = new Hook(['a']);
    hook.tap('Nothing', () => {});
    const record = new BuildRecord(() => null);
    if (how === 'journal') record.follow(new JournalNotes(() => true).build);
    if (how !== 'plain') {
      hook.intercept({
        name: 'x',
        tap: (/** @type {object} */ tap) => {
          const note = record.tap('x', tap);
          note.calls = (note.calls ?? 0) + 1;
          record.counted();
        },
      });
    }
    const queried = hook.queryStageRange([-Infinity, Infinity]);
    const many = 200_000;
    const start = performance.now();
    for (let i = 0; i < many; i++) queried.promise(1);
    return ((performance.now() - start) / many) * 1e6;
  };
  perCall('journal');
  const [plain, counted, journal] = [perCall('plain'), perCall('counted'), perCall('journal')];
  process.stdout.write(
    JSON.stringify({ ...spent, taps: taps.length, calls, runs, plain, counted, journal }),
  );
}

async function main() {
  const { values } = parseArgs({
    options: {
      case: { type: 'string', default: 'hooks-1k' },
      runs: { type: 'string', default: '5' },
    },
  });
  const { folder } = generate(values.case);
  /** @type {Record<string, number>[]} */
  const runs = [];
  for (let i = 0; i < Number(values.runs); i++) {
    const args = [__filename, '--build', folder];
    const { code, output } = await measure(process.execPath, args, { cwd: folder });
    if (code !== 0) throw new Error(`the build failed:\n${output}`);
    runs.push(JSON.parse(output.trim().split('\n').at(-1) ?? ''));
  }
  const of = (/** @type {string} */ name) => median(runs.map((run) => run[name]));
  const ms = (/** @type {string} */ name) => `${name} ${of(name).toFixed(2)} ms`;
  console.log(
    `${values.case}: ${of('taps')} taps, ${of('calls')} calls, ${of('runs')} loader runs`,
  );
  console.log(`reading: ${['ready', 'compilation', 'readTaps'].map(ms).join(', ')}`);
  console.log(
    `one call of a hook: ${of('plain').toFixed(0)} ns, counted ${of('counted').toFixed(0)} ns, ` +
      `with a journal ${of('journal').toFixed(0)} ns`,
  );
}

if (process.argv[2] === '--build') build(process.argv[3]);
else main();
