'use strict';
// The builds of a recording: a watch has many. Each is a stretch of time, from beforeRun or watchRun to
// afterDone or failed, and so a profile of its own: everything that this process did in that time,
// another compiler's work too where two build at once.

const { ProfError } = require('../errors.js');
const { withoutCounts } = require('./build.js');
const { slice, sliceMarkers } = require('./slice.js');

/** @typedef {import('./raw').Marker} Marker */
/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').Rebuild} Rebuild */
/** @typedef {import('../index').RebuildChoice} RebuildChoice */
/** @typedef {{compiler: string, build: number, watching: boolean, changed: string[], changedCount: number}} BuildData */

const NS_PER_MS = 1e6;
/** Warnings that count samples of the whole. */
const WHOLE_ONLY = ['few-samples', 'guessed-stacks', 'incomplete-stacks', 'counters-disagree'];

/** @param {Marker} marker */
const dataOf = ({ data }) => /** @type {BuildData} */ (data);

/**
 * @param {readonly Marker[]} markers
 * @param {number} startNs of the recording
 * @returns {(Rebuild & {marker: Marker})[]} those that have ended, in order
 */
function buildsOf(markers, startNs) {
  return markers
    .filter(({ type, endNs }) => type === 'build' && endNs !== null)
    .map((marker) => {
      const { compiler, build, watching, changed, changedCount } = dataOf(marker);
      const endNs = /** @type {number} */ (marker.endNs);
      return {
        build,
        compiler,
        watching,
        startMs: (marker.startNs - startNs) / NS_PER_MS,
        ms: (endNs - marker.startNs) / NS_PER_MS,
        changed,
        changedCount,
        marker,
      };
    });
}

/**
 * @param {readonly Marker[]} markers
 * @param {number} startNs
 * @returns {Rebuild[]}
 */
function rebuilds(markers, startNs) {
  return buildsOf(markers, startNs).map(({ marker: _, ...row }) => row);
}

/** @param {string} problem */
const refused = (problem) => new ProfError('ERR_PROF_BAD_OPTION', problem);

/**
 * @param {Profile} profile
 * @param {RebuildChoice} which
 * @param {{compiler?: string}} options
 */
function chooseBuild({ markers, meta }, which, { compiler }) {
  const all = buildsOf(markers, meta.startNs);
  const own = compiler === undefined ? all : all.filter((row) => row.compiler === compiler);
  if (own.length === 0) {
    const names = [...new Set(all.map((row) => `'${row.compiler}'`))].join(', ');
    throw refused(
      all.length === 0
        ? 'there is no finished build in this profile'
        : `there is no compiler '${compiler}' in this profile: it has ${names}`,
    );
  }
  if (which === 'last') return own[own.length - 1];
  // The first build is no rebuild: it is asked for only where there is nothing else.
  const later = own.filter(({ build }) => build > 1);
  const candidates = later.length > 0 ? later : own;
  if (which === 'slowest') return candidates.reduce((a, b) => (b.ms > a.ms ? b : a));
  const found = own.filter(({ build }) => build === which);
  if (found.length === 1) return found[0];
  if (found.length > 1) {
    const names = found.map((row) => `'${row.compiler}'`).join(', ');
    throw refused(`build ${which} is of several compilers: say which with 'compiler': ${names}`);
  }
  const numbers = own.map(({ build }) => build);
  throw refused(
    `there is no build ${String(which)} in this profile: it takes 'last', 'slowest', or a number ` +
      `from ${Math.min(...numbers)} to ${Math.max(...numbers)}`,
  );
}

/**
 * @param {Profile} profile
 * @param {RebuildChoice} which
 * @param {{compiler?: string}} [options]
 * @returns {Profile}
 */
function rebuild(profile, which, options = {}) {
  const { Profile } = require('./profile.js');
  const { build, marker } = chooseBuild(profile, which, options);
  const { meta, markers, quality, context } = profile;
  const toNs = /** @type {number} */ (marker.endNs);
  const { raw, others } = slice(profile, marker.startNs, toNs);
  const part = new Profile(raw, {
    others,
    markers: sliceMarkers(markers, marker.startNs, toNs),
    context,
    build: withoutCounts(profile.build),
  });
  part.quality.warnings.push(...quality.warnings.filter(({ code }) => !WHOLE_ONLY.includes(code)), {
    code: 'part',
    message:
      `build ${build} of a recording of ${(meta.durationMs / 1e3).toFixed(1)} s: lost, throttled, ` +
      'cost and broken stacks by object are of the whole recording',
    fix: '',
  });
  return part;
}

module.exports = { rebuild, rebuilds };
