'use strict';
// Stack by stack against perf: one `perf record --call-graph dwarf` of a build, unwound by perf
// script (libdw) and by our import from the very same registers and stack dumps. Prints how many of
// perf's whole stacks are ours function by function, in order, and every kind of difference with an
// example (docs/unwinding.md explains the kinds). Exit 1 below 99 %.
//   node bench/agree.js [CASE | FILE.js] [--frequency HZ] [--dump BYTES] [--binding debug|release]

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const prof = require('../lib/index.js');
const { prepareBuild } = require('./build.js');

const CLI = path.join(__dirname, '../lib/cli/main.js');
const MOST = 1 << 30;
/** Without these perf has no names for V8's code. */
const NODE_FLAGS = ['--perf-basic-prof', '--interpreted-frames-native-stack'];
const WANTED = 0.99;
/** Our mark where a walk broke off: no function. */
const BROKEN = '[broken stack]';
const STARTS = /^(_start|__clone3|clone3|__clone)$/;

/** @param {string} command @param {string[]} args @param {object} [options] */
function out(command, args, options = {}) {
  const done = spawnSync(command, args, { maxBuffer: MOST, encoding: 'utf8', ...options });
  if (done.status !== 0) {
    throw new Error(`${command} ${args.join(' ')}: ${done.error ?? done.stderr}`);
  }
  return done.stdout;
}

/** perf's names without its decorations, and V8's as we show them. @param {string} name */
const plain = (name) =>
  name
    .replace(/@@?[A-Z][A-Za-z]*_[\d.]+$/, '')
    .replace(/^(Builtins_\w+)Handler$/, '$1')
    .replace(/^(Builtins_\w+?)((?:Extra)?Wide)$/, '$1.$2')
    .replace(/^\[(0x[\da-f]+|.+\+0x[\da-f]+)\]$/, '[unknown]') // no symbol: we say where
    // node 24 on has "+'" for context-specialised code, node 26 "o*" after on-stack replacement.
    .replace(/^(?:JS|LazyCompile|Function|Script|Eval):(?:o(?=[*+]))?[*~^+]?'?/, '') // the latter: node 18
    .replace(/^RegExp:(.*)$/, 'RegExp /$1/')
    .replace(/^RegExp\.[<>] *src: '(.*)' flags: '(.*?)'$/, 'RegExp /$1/$2')
    .replace(/^ (?=\/|node:|file:)/, '(anonymous) ')
    .replace(/^(\(script\)|\(anonymous\)) (?=.*:1:1$)/, '')
    .replace(/file:\/\/(\S+)/, (_all, rest) => decodeURI(rest).replace(/%7E/g, '~'));

/** Of several names at one address of the kernel perf and we may take different ones. */
function kernelAliases() {
  const text = fs.readFileSync('/proc/kallsyms', 'latin1');
  const rows = text.matchAll(/^([\da-f]+) [tTwW] (\S+)$/gm);
  return new Map(Array.from(rows, ([, address, name]) => [name, address]));
}

/**
 * Leaf first; key: thread and time.
 * @param {string} file @param {string} cwd
 * @returns {{ key: string, names: string[] }[]}
 */
function perfStacks(file, cwd) {
  const args = ['script', '--no-inline', '--ns', '--max-stack', '8192', '-F', 'tid,time,ip,sym'];
  return out('perf', [...args, '-i', file], { cwd })
    .split('\n\n')
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const [head, ...frames] = block.trim().split('\n');
      const [, tid, time] = /^(\d+)\s+([\d.]+):/.exec(head) ?? [];
      const names = frames.map((line) => line.trim().replace(/^[\da-f]+ /, ''));
      return { key: `${tid} ${time}`, names };
    });
}

/**
 * @param {any} profile
 * @param {boolean} inlined with inlined functions
 * @returns {{ key: string, names: string[], end: number }[]}
 */
function ownStacks({ raw }, inlined) {
  const { samples, nodes, funcs, threads, strings } = raw;
  return Array.from(samples.node, (leaf, index) => {
    const names = [];
    for (let node = leaf; node > 0; node = nodes.parent[node]) {
      if (inlined || !nodes.inline[node]) names.push(strings[funcs.name[nodes.func[node]]]);
    }
    const ns = String(samples.timeNs[index]).padStart(10, '0');
    const time = `${ns.slice(0, -9)}.${ns.slice(-9)}`;
    return { key: `${threads.tid[samples.thread[index]]} ${time}`, names, end: samples.end[index] };
  });
}

/**
 * What two stacks differ in, null where they are the same functions in the same order.
 * @param {string[]} theirs @param {string[]} ours both leaf first, plain
 */
function difference(theirs, ours) {
  const at = theirs.findIndex((name, i) => name !== ours[i]);
  if (at < 0) return theirs.length === ours.length ? null : 'ours goes on';
  if (at >= ours.length) return `ours ends: ${ours.at(-1)} < ${theirs[at]}`;
  const rest = (/** @type {string[]} */ names, /** @type {number} */ from) =>
    names.slice(from).join('\n');
  if (rest(theirs, at + 1) === rest(ours, at + 1)) return `name: ${theirs[at]} | ${ours[at]}`;
  if (rest(theirs, at) === rest(ours, at + 1)) return `only ours: ${ours[at]}`;
  if (rest(theirs, at + 1) === rest(ours, at)) return `only perf's: ${theirs[at]}`;
  return `after ${theirs[at - 1]}: ${theirs[at]} | ${ours[at]}`;
}

/**
 * @param {{ key: string, names: string[] }[]} theirs
 * @param {{ key: string, names: string[], end: number }[]} ours
 */
function compare(theirs, ours) {
  const aliases = kernelAliases();
  const place = (/** @type {string} */ name) => aliases.get(name) ?? plain(name);
  const byKey = new Map(theirs.map(({ key, names }) => [key, names]));
  const sum = { samples: ours.length, missing: 0, complete: 0, whole: 0, same: 0, inner: 0 };
  /** @type {Map<string, number>} */
  const kinds = new Map();
  for (const { key, names, end } of ours) {
    const other = byKey.get(key)?.map(place);
    const mine = names.filter((name) => name !== BROKEN).map(place);
    sum.complete += Number(end === 0);
    if (!other) {
      sum.missing += 1;
      continue;
    }
    const isWhole = STARTS.test(other.at(-1) ?? '');
    const kind = difference(other, mine);
    sum.whole += Number(isWhole);
    if (isWhole) sum.same += Number(kind === null);
    else sum.inner += Number(kind === null || kind === 'ours goes on');
    if (kind !== null && !(kind === 'ours goes on' && !isWhole)) {
      const label = `${isWhole ? 'whole' : 'cut  '} ${kind}`;
      kinds.set(label, (kinds.get(label) ?? 0) + 1);
    }
  }
  return { ...sum, kinds };
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      frequency: { type: 'string', default: '499' },
      dump: { type: 'string', default: '65528' },
      binding: { type: 'string', default: 'debug' },
    },
  });
  const what = positionals[0] ?? 'react-1k';
  const file = what.endsWith('.js') ? path.resolve(what) : null;
  const plan = file
    ? { command: process.execPath, args: [file], env: process.env, folder: process.cwd() }
    : prepareBuild(what, { binding: values.binding });
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-agree-'));
  let map = '';
  try {
    const event = ['-e', 'cpu-clock', '-F', values.frequency, '-m', '512'];
    const data = path.join(cwd, 'perf.data');
    const command = [plan.command, ...NODE_FLAGS, ...plan.args];
    const how = ['record', '-q', ...event, '--call-graph', `dwarf,${values.dump}`, '-o', data];
    out('perf', [...how, '--', ...command], { cwd: plan.folder, env: plan.env });
    out(process.execPath, [CLI, 'import', data, '-o', 'in.json.gz'], { cwd });
    const profile = /** @type {any} */ (prof.read(path.join(cwd, 'in.json.gz')));
    map = `/tmp/perf-${profile.meta.pid}.map`;
    const found = compare(perfStacks(data, cwd), ownStacks(profile, false));
    const share = found.same / found.whole;
    console.log(`${found.samples} samples, ${found.complete} of ours complete`);
    console.log(
      `${found.same} of perf's ${found.whole} whole stacks equal: ${(share * 100).toFixed(2)} %`,
    );
    const cut = found.samples - found.whole - found.missing;
    console.log(`${found.inner} of perf's ${cut} cut stacks are the inner part of ours`);
    if (found.missing) console.log(`${found.missing} samples are not perf's`);
    for (const [kind, count] of [...found.kinds].sort((a, b) => b[1] - a[1])) {
      console.log(`${String(count).padStart(6)}  ${kind}`);
    }
    if (!(share >= WANTED)) process.exitCode = 1;
  } finally {
    fs.rmSync(cwd, { recursive: true, force: true });
    if (map) fs.rmSync(map, { force: true });
  }
}

module.exports = { compare, kernelAliases, out, ownStacks, perfStacks, plain };
if (require.main === module) main();
