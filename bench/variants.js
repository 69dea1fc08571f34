'use strict';
// What the benchmark compares: a build alone, with the profiler in its process, and under perf as
// people run it today. Each variant makes a command line and reads what the run left behind.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { prepareBuild } = require('./build.js');

/** What people pass to node so that perf can name and walk JavaScript frames. */
const NODE_FLAGS = ['--perf-prof', '--perf-basic-prof', '--interpreted-frames-native-stack'];
const PERF_MAP = /^perf-\d+\.map$/;

/**
 * @typedef {object} Left what a run left behind besides its time
 * @property {number} [samples]
 * @property {number} [lost]
 * @property {number} [completeShare]
 * @property {number} [finishMs] the profiler's own count of its work after the build
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
 * @returns {Variant}
 */
function alone(name, binding) {
  return {
    key: 'none',
    label: 'no profiler',
    command: () => prepareBuild(name, { binding }),
    read: () => ({}),
  };
}

/**
 * @param {string} name
 * @param {string} binding
 * @param {number} frequency
 * @returns {Variant}
 */
function inProcess(name, binding, frequency) {
  return {
    key: `rspack-prof-${frequency}`,
    label: `in process, ${frequency} Hz`,
    command: () => prepareBuild(name, { binding, prof: { frequency } }),
    read: (folder) => {
      const { samples, lost, completeShare, cost } = readProfile(folder).quality;
      return { samples, lost, completeShare, finishMs: cost.finishMs };
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

module.exports = { alone, inProcess, perfMaps, perfProblem, readProfile, underPerf };
