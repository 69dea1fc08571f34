'use strict';
// What is to be known of a comparison before it is believed: a machine that others use, profiles that are missing,
// a binding that is another build. Pure.

const { FOLDER } = require('../folder.js');
const { grouped, plural } = require('../grouped.js');
const { LEAST_SAMPLES } = require('../profile/comparable.js');
const { BUSY_CPUS } = require('./summary.js');

/** Part of the time from which on a counter that others share is as good as one that was there all along. */
const WELL_COUNTED = 0.98;

/**
 * @param {ReturnType<typeof import('./summary').machineOf>} machine
 * @param {object} more
 * @param {{ problem: string, share: number }} more.counter
 * @param {import('./profiles').Profiled | null} more.profiled
 * @param {number} more.recorded recordings that the timed runs made
 * @param {ReturnType<typeof import('./environment').environmentOf>} more.environment
 * @param {number} more.runs
 */
function warningsOf(machine, { counter, profiled, recorded, environment, runs }) {
  /** @type {[code: string, message: string, fix?: string][]} */
  const found = [];
  const { othersCpus, stolenCpus, drift, outliers, leftProcesses } = machine;
  const [others, stolen] = [othersCpus ?? 0, stolenCpus ?? 0];
  if (others > BUSY_CPUS) {
    const what = `${others.toFixed(1)} of ${environment.cpus} CPUs`;
    found.push(['busy-machine', `other work kept ${what} busy: wall times are noisy`]);
  }
  if (stolen > BUSY_CPUS / 2) {
    found.push(['stolen-time', `the host took ${stolen.toFixed(2)} CPUs for its other guests`]);
  }
  if (drift !== null) {
    const much = `${(Math.abs(drift) * 100).toFixed(0)} % ${drift > 0 ? 'longer' : 'less'}`;
    const what = `runs took ${much} at the end than at the beginning`;
    found.push(['drift', `${what}: ABBA cancels what was steady of it`]);
  }
  if (outliers.length > Math.max(1, 0.1 * runs)) {
    const many = `${outliers.length} of ${runs} runs are far from the others`;
    found.push(['outliers', `${many}: something else ran on this machine`]);
  }
  if (leftProcesses > 0) {
    const what =
      leftProcesses === 1
        ? '1 process outlived its build and was'
        : `${leftProcesses} processes outlived their build and were`;
    found.push(['left-processes', `${what} ended`]);
  }
  if (recorded > 0) {
    const what = `start() in the build's own files recorded the timed runs, and cost them time`;
    found.push([
      'recorded-runs',
      `${what} (${plural(recorded, 'profile')} in ${FOLDER}/): take it out`,
    ]);
  }
  if (counter.problem !== '') {
    found.push(['no-instructions', `instructions are not counted: ${counter.problem}`]);
  } else if (counter.share < WELL_COUNTED) {
    const what = `${(counter.share * 100).toFixed(0)} % of a run's time`;
    found.push(['scaled-instructions', `instructions were counted in ${what}, the rest is scaled`]);
  }
  const { merged = null, problem = '' } = profiled ?? {};
  if (merged) {
    const [was, is] = [merged.base, merged.candidate].map(({ quality }) => quality.samples);
    if (problem !== '') {
      const kept = plural(profiled?.runs.base.length ?? 0, 'profiled run');
      found.push(['few-profiles', `only ${kept} of each: ${problem}`]);
    }
    if (Math.min(was, is) < LEAST_SAMPLES) {
      const what = `only ${grouped(was)} and ${grouped(is)} samples show large changes alone`;
      found.push(['few-samples', `${what}: take more profiled runs, or a higher frequency`]);
    }
  } else if (problem !== '') found.push(['no-profiles', `no profiles: ${problem}`]);
  const { governor, bindings } = environment;
  if (governor && governor !== 'performance') {
    const fix = 'sudo cpupower frequency-set -g performance';
    found.push(['cpu-governor', `the CPUs' governor is '${governor}': their speed varies`, fix]);
  }
  const { base, candidate } = bindings;
  const isDebug = (/** @type {{ file: string } | null} */ one) =>
    one !== null && one.file.includes('@rspack-debug');
  if (isDebug(base) !== isDebug(candidate)) {
    const side = isDebug(base) ? 'base' : 'candidate';
    const what = `the ${side} is a debug binding: assertions and another allocator are in its times`;
    found.push(['debug-binding', what]);
  }
  return found.map(([code, message, fix = '']) => ({ code, message, fix }));
}

module.exports = { warningsOf };
