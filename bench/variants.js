'use strict';
// What the benchmark compares: a build alone, with the profiler in its process or parts of it, and
// under perf as people run it today. Each variant makes a command line and reads what the run left.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { prepareBuild } = require('./build.js');
const { compile } = require('./compile.js');

/** What people pass to node so that perf can name and walk JavaScript frames. */
const NODE_FLAGS = ['--perf-prof', '--perf-basic-prof', '--interpreted-frames-native-stack'];
const PERF_MAP = /^perf-\d+\.map$/;

/**
 * @typedef {object} Left what a run left behind besides its time
 * @property {number} [samples]
 * @property {number} [lost]
 * @property {number} [completeShare]
 * @property {number} [profileBytes] profile.json.gz
 * @property {number} [signals]
 * @property {number} [handlerMs] the profiler's own counts: in its handlers,
 * @property {number} [threadMs] CPU of its thread,
 * @property {number} [finishMs] and its work after the build
 *
 * @typedef {{ frequency: number, event?: string, callGraph?: string, wall?: boolean }} ProfOptions for start()
 *
 * @typedef {object} Variant
 * @property {string} key
 * @property {string} label
 * @property {(folder: string) => { command: string, args: string[], env: NodeJS.ProcessEnv }} command
 * @property {(folder: string) => Left} read
 */

/**
 * @param {string} folder where a run was
 * @returns {string | null} the profile that the profiler wrote below it
 */
function findProfile(folder) {
  const parent = path.join(folder, '.rspack-prof');
  const name = 'profile.json.gz';
  const runs = fs.existsSync(parent) ? fs.readdirSync(parent).sort() : [];
  const files = runs.map((run) => path.join(parent, run, name)).filter((f) => fs.existsSync(f));
  return files.at(-1) ?? null;
}

/** @param {string} folder */
function readProfile(folder) {
  const file = findProfile(folder);
  if (!file) throw new Error('the profiler left no profile');
  return require('rspack-prof').read(file);
}

/**
 * @param {string} name case
 * @param {string} binding
 * @param {boolean} again once more in each round: what differs then is chance
 * @returns {Variant}
 */
function alone(name, binding, again = false) {
  return {
    key: again ? 'none-again' : 'none',
    label: again ? 'no profiler, again' : 'no profiler',
    command: () => prepareBuild(name, { binding }),
    read: () => ({}),
  };
}

/**
 * @param {string} name
 * @param {string} binding
 * @param {{ key: string, label: string, prof: ProfOptions }} options
 * @returns {Variant}
 */
function inProcess(name, binding, { key, label, prof }) {
  return {
    key,
    label: `${label}, ${prof.frequency} Hz`,
    command: () => prepareBuild(name, { binding, prof }),
    read: (folder) => {
      const { samples, lost, completeShare, cost } = readProfile(folder).quality;
      return {
        samples,
        lost,
        completeShare: prof.callGraph === 'none' ? undefined : completeShare,
        profileBytes: fs.statSync(/** @type {string} */ (findProfile(folder))).size,
        handlerMs: cost.handlerMs,
        threadMs: cost.cpuMs,
        finishMs: cost.finishMs,
      };
    },
  };
}

/**
 * The profiler's events alone (interrupt.c), on from node's start.
 * @param {string} name
 * @param {string} binding
 * @param {{ key: string, label: string, signals: boolean, event: string }} options
 * @returns {Variant}
 */
function dropped(name, binding, { key, label, signals, event }) {
  /** @param {string} folder */
  const counts = (folder) => path.join(folder, 'counts.json');
  return {
    key,
    label: `${label}, 4000 Hz`,
    command: (folder) => {
      const addon = compile('interrupt.c', { core: true, shared: true });
      const build = prepareBuild(name, { binding, nodeFlags: ['--require', addon] });
      const env = {
        ...build.env,
        INTERRUPT_FREQUENCY: '4000',
        INTERRUPT_SIGNALS: signals ? '1' : '0',
        INTERRUPT_EVENT: event,
        INTERRUPT_COUNTS: counts(folder),
      };
      return { ...build, env };
    },
    read: (folder) => {
      const found = JSON.parse(fs.readFileSync(counts(folder), 'utf8'));
      return { samples: found.samples, lost: found.lost };
    },
  };
}

/**
 * @param {string} name
 * @param {string} binding
 * @param {{ event: string, callGraph: 'dwarf' | null }} options
 * @returns {Variant}
 */
function underPerf(name, binding, { event, callGraph }) {
  const kind = callGraph ?? 'flat';
  return {
    key: `perf-${kind}-4000`,
    label: `perf, ${kind}, 4000 Hz`,
    command: (folder) => {
      const build = prepareBuild(name, { binding, nodeFlags: callGraph ? NODE_FLAGS : [] });
      const file = path.join(folder, 'perf.data');
      const graph = callGraph ? ['--call-graph', callGraph] : [];
      const record = ['record', '-q', '-o', file, '-e', event, '-F', '4000', ...graph, '--'];
      return { command: 'perf', args: [...record, build.command, ...build.args], env: build.env };
    },
    read: (folder) => readPerfStats(path.join(folder, 'perf.data')),
  };
}

/**
 * @param {string} file perf.data
 * @returns {Left}
 */
function readPerfStats(file) {
  /** @param {string[]} args */
  const perf = (...args) => {
    const options = { encoding: /** @type {const} */ ('utf8'), maxBuffer: 1 << 28 };
    return spawnSync('perf', [...args, '-i', file], options).stdout ?? '';
  };
  const samples = /\bSAMPLE events:\s+(\d+)/.exec(perf('report', '--stats'))?.[1];
  if (!samples) return {};
  // The thread's id only: with any more, perf would unwind every sample.
  const records = perf('script', '--show-lost-events', '-F', 'tid');
  const lost = [...records.matchAll(/PERF_RECORD_LOST(?:_SAMPLES)?\s+lost (\d+)/g)];
  return {
    samples: Number(samples),
    lost: lost.reduce((sum, [, count]) => sum + Number(count), 0),
  };
}

/**
 * Why perf cannot be a peer here, or null.
 * @param {string} event
 */
function perfProblem(event) {
  const args = ['record', '-q', '-o', '/dev/null', '-e', event, '-F', '4000', '--', 'true'];
  const run = spawnSync('perf', args, { encoding: 'utf8' });
  if (run.error) return 'perf is not installed';
  if (run.status === 0) return null;
  return `perf record does not work here: ${run.stderr.trim().split('\n')[0]}`;
}

/** @returns {Set<string>} the files in which node names its JIT code for perf */
function perfMaps() {
  return new Set(fs.readdirSync('/tmp').filter((file) => PERF_MAP.test(file)));
}

module.exports = {
  alone,
  dropped,
  inProcess,
  perfMaps,
  perfProblem,
  readProfile,
  underPerf,
};
