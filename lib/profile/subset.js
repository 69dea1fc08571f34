'use strict';
// A profile of some of a profile's samples: one phase, one thread, one range of time. Every format
// takes the same filters by being given such a profile. The tree, the names and the markers stay
// as they are; what the recording lost and cost is told of the whole, since nobody knows of which part.

const { ProfError } = require('../errors.js');
const { withoutCounts } = require('./build.js');
const { eventsCounted } = require('./events.js');
const { addWarnings, countedAgain } = require('./quality.js');
const { selectSamples } = require('./select.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {{phase?: string, thread?: string | number, through?: RegExp | string, time?: string,
 *    state?: import('../index').StateFilter, idle?: boolean}} Filter */

const FILTERS = ['phase', 'thread', 'through', 'time', 'state', 'idle'];
const NS_PER_S = 1e9;

/**
 * @param {unknown} text `FROM,TO` in seconds since the recording's start; either may be left out
 * @returns {[number, number]} ns since the recording's start; the end is not part of it
 */
function rangeOf(text) {
  const found = /^(\d*\.?\d*),(\d*\.?\d*)$/.exec(String(text).trim());
  const second = (/** @type {string} */ part, /** @type {number} */ none) =>
    part === '' ? none : Number(part) * NS_PER_S;
  const [from, to] = found ? [second(found[1], 0), second(found[2], Infinity)] : [NaN, NaN];
  if (from < to) return [from, to];
  throw new ProfError(
    'ERR_PROF_BAD_OPTION',
    `'time' is FROM,TO in seconds since the start, like 0.5,2 or 1, - not '${text}'`,
  );
}

/**
 * @param {Profile} profile
 * @param {Uint8Array | null} selected
 * @param {[number, number] | null} range
 * @returns {Uint8Array} 1 per sample to keep
 */
function chosenSamples({ raw, meta }, selected, range) {
  const { timeNs } = raw.samples;
  return Uint8Array.from(timeNs, (time, sample) => {
    const since = time - meta.startNs;
    const inTime = !range || (since >= range[0] && since < range[1]);
    return inTime && (!selected || selected[sample] === 1) ? 1 : 0;
  });
}

/**
 * @param {Profile} profile
 * @param {Uint8Array} keep
 * @returns {Profile['raw']}
 */
function rawOf({ raw }, keep) {
  const pick = (/** @type {any} */ column) =>
    column.filter((/** @type {number} */ _, /** @type {number} */ sample) => keep[sample] === 1);
  const samples = /** @type {Profile['raw']['samples']} */ (
    Object.fromEntries(Object.entries(raw.samples).map(([name, column]) => [name, pick(column)]))
  );
  return { ...raw, samples, quality: countedAgain(raw, samples) };
}

/**
 * The events beside the first one, by the same filter. They happen in running threads: none is part of a wait.
 * @param {Profile} profile
 * @param {Filter} filter
 * @param {[number, number] | null} range
 * @returns {import('./events').OtherEvent[]}
 */
function chosenOthers(profile, { phase, thread, through, state = 'all' }, range) {
  if (state !== 'all' && state !== 'running') return [];
  return profile.others.map(({ about }) => {
    const own = profile.event(about.event);
    const selected = selectSamples(own, { phase, thread, through });
    const { samples } = rawOf(own, chosenSamples(own, selected, range));
    return { about: { ...about, samples: samples.node.length }, samples };
  });
}

/**
 * @param {Profile} profile
 * @param {Filter} filter
 * @returns {Profile} the same one where nothing is filtered
 */
function subset(profile, filter) {
  const given = FILTERS.filter((name) => filter[/** @type {keyof Filter} */ (name)] !== undefined);
  const { time, ...sampleFilter } = filter;
  const selected = given.length > 0 || profile.waits ? selectSamples(profile, sampleFilter) : null;
  if (given.length === 0 && !selected) return profile;
  const range = time === undefined ? null : rangeOf(time);
  const keep = chosenSamples(profile, selected, range);
  const others = given.length > 0 ? chosenOthers(profile, filter, range) : profile.others;
  const hasOthers = others.some(({ samples }) => samples.node.length > 0);
  if (given.length > 0 && !keep.includes(1) && !hasOthers) {
    const what = given.map((name) => `${name} ${filter[/** @type {keyof Filter} */ (name)]}`);
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `no sample is left of ${profile.quality.samples}: nothing was sampled with ${what.join(', ')}`,
    );
  }
  const raw = rawOf(profile, keep);
  // What was left out is not to be left out again, or missed.
  const view = profile.waits ? { view: /** @type {const} */ ('chosen') } : {};
  const meta = { ...eventsCounted(raw.meta, raw.samples.node.length, others), ...view };
  const build = withoutCounts(profile.build);
  const part = withSamples(profile, { ...raw, meta }, { build, others });
  // What the doctor said of the whole, and what was said of its trace, is in no column.
  addWarnings(part.quality, profile.quality.warnings);
  return part;
}

/**
 * @param {Profile} profile
 * @param {Profile['raw']} raw
 * @param {Pick<Profile, 'build' | 'others'>} more
 */
function withSamples({ context, markers, raw: good }, raw, more) {
  const { Profile } = require('./profile.js');
  return new Profile(raw, { markers, context, good, ...more });
}

/**
 * A profile with waits, without them: as if they had not been asked for.
 * @param {Profile} profile
 */
function running(profile) {
  const { state } = profile.raw.samples;
  const raw = rawOf(
    profile,
    Uint8Array.from(state ?? [], (one) => (one === 0 ? 1 : 0)),
  );
  const meta = { ...raw.meta, switches: undefined, view: undefined };
  const samples = { ...raw.samples };
  delete samples.state;
  const { build, others } = profile;
  return withSamples(profile, { ...raw, meta, samples }, { build, others });
}

module.exports = { FILTERS, running, subset };
