'use strict';
// How whole the stacks of real builds are: for each case and event one build with the profiler in its
// process, what its `quality` says, and below it each object that broke stacks, with the reason.
//   node bench/complete.js [CASE..] [--event EVENT,..] [--frequency HZ] [--binding debug|release|FILE]
// An event with '+wall' or '+offcpu' records waits too. 'beyond': of the samples with a frame of the
// binding that JavaScript's thread took, the share with JavaScript further out, which a walk finds
// only behind all of Rust's frames.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { prepareBuild } = require('./build.js');
const { align } = require('./overhead-table.js');
const { readProfile } = require('./variants.js');

const HEAD = ['', 'samples', 'lost', 'complete', 'joined', 'truncated', 'broken', 'beyond'];
const CASES = ['react-10k', 'babel-1k'];
const BINDING = /^rspack\..*\.node$/;
/** @type {Record<string, object>} */
const WAITS = { wall: { wall: true }, offcpu: { offCpu: true } };

/** @typedef {import('../lib/profile/profile').Profile} Profile */

/**
 * The binding's samples of the thread that JavaScript runs on, and those with JavaScript outside.
 * @param {Profile} profile
 */
function beyondRust({ raw }) {
  const { KINDS } = require('../lib/profile/keys.js');
  const { nodes, funcs, modules, samples, strings } = raw;
  const isBinding = Array.from(modules.name, (name) => BINDING.test(strings[name]));
  const HAS_BINDING = 1;
  const HAS_JS = 2;
  const IS_BEYOND = 4;
  const has = new Uint8Array(nodes.parent.length);
  for (let node = 1; node < has.length; node += 1) {
    const func = nodes.func[node];
    has[node] = has[nodes.parent[node]];
    if (KINDS[funcs.kind[func]] === 'js') has[node] |= HAS_JS;
    if (isBinding[funcs.module[func]])
      has[node] |= HAS_BINDING | (has[node] & HAS_JS ? IS_BEYOND : 0);
  }
  const threads = new Set(samples.thread.filter((_thread, i) => has[samples.node[i]] & HAS_JS));
  const counts = { binding: 0, beyond: 0 };
  samples.node.forEach((node, i) => {
    if (!threads.has(samples.thread[i]) || !(has[node] & HAS_BINDING)) return;
    counts.binding += 1;
    if (has[node] & IS_BEYOND) counts.beyond += 1;
  });
  return counts;
}

/** @param {number} part @param {number} whole */
const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(2)} %` : '-');

/**
 * @param {string} name
 * @param {{ event: string, frequency: number, binding: string }} how
 * @returns {string[][]} a row of the build, and one of each object that broke stacks
 */
function record(name, { event, frequency, binding }) {
  const [asked, waits] = event.split('+');
  const prof = { frequency, ...(asked && { event: asked }), ...WAITS[waits] };
  const build = prepareBuild(name, { binding, prof });
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-complete-'));
  try {
    const { status, stderr } = spawnSync(build.command, build.args, {
      ...{ cwd: folder, env: build.env, encoding: 'utf8', maxBuffer: 1 << 26 },
    });
    if (status !== 0) throw new Error(`the build failed:\n${stderr}`);
    const profile = /** @type {Profile} */ (readProfile(folder));
    const { samples, lost, complete, joined, truncated, broken, byObject } = profile.quality;
    const { binding: inBinding, beyond } = beyondRust(profile);
    const shares = [complete, joined, truncated, broken].map((count) => percent(count, samples));
    const taken = `${profile.meta.event}${waits ? `+${waits}` : ''}`;
    const row = [`${name}, ${taken}`, String(samples), String(lost), ...shares];
    const breaks = byObject.map((object) => [
      ...[`  ${object.object}: ${object.reason}`, String(object.samples), '', '', '', ''],
      ...[String(object.broken), ''],
    ]);
    return [[...row, percent(beyond, inBinding)], ...breaks];
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      event: { type: 'string', default: '' },
      frequency: { type: 'string', default: '4000' },
      binding: { type: 'string', default: 'debug' },
    },
  });
  const { binding } = values;
  const frequency = Number(values.frequency);
  const names = positionals.length > 0 ? positionals : CASES;
  const events = values.event.split(',');
  const rows = names.flatMap((name) =>
    events.flatMap((event) => record(name, { event, frequency, binding })),
  );
  const [load] = os.loadavg();
  const machine = `${os.cpus().length} CPUs, load ${load.toFixed(0)}`;
  console.log(
    `${frequency} Hz, ${binding} binding, ${machine}; of an object: samples in it, broken`,
  );
  console.log(align([HEAD, ...rows]));
}

main();
