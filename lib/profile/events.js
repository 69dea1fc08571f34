'use strict';
// Several events in one recording: they share threads, functions and stacks, and each has samples of
// its own with weights in its own unit. A profile shows the first one; event() gives the profile of
// another. What was multiplexed is scaled here, once.

const { ProfError, nearMatches } = require('../errors.js');
const { countedAgain } = require('./quality.js');

/** @typedef {import('./raw').RawProfile} RawProfile */
/** @typedef {import('./raw').RawEvent} RawEvent */
/** @typedef {import('../index').Warning} Warning */
/** @typedef {{about: RawEvent, samples: RawProfile['samples']}} OtherEvent */

/** Below this a counter was shared for a moment only: nothing that a figure shows. */
const LEAST_SCALE = 1.01;

/**
 * The samples of one event, without the column that tells them apart.
 * @param {RawProfile} raw
 * @param {number} index
 * @param {number} scaledBy
 * @returns {RawProfile['samples']}
 */
function samplesOf({ samples }, index, scaledBy) {
  const { event, ...columns } = samples;
  /** @type {Record<string, any>} */
  const own = {};
  for (const [name, column] of Object.entries(columns)) {
    if (column === undefined) continue;
    own[name] = column.filter(
      (/** @type {number} */ _, /** @type {number} */ i) => event?.[i] === index,
    );
  }
  if (scaledBy > 1) {
    own.weight = own.weight.map((/** @type {number} */ weight) => Math.round(weight * scaledBy));
  }
  return /** @type {RawProfile['samples']} */ (own);
}

/**
 * @param {RawProfile} raw as the addon gives it
 * @returns {{raw: RawProfile, others: OtherEvent[], warnings: Warning[]}} raw: of the first event
 */
function splitEvents(raw) {
  const { events = [] } = raw.meta;
  const { event: column, ...rest } = raw.samples;
  if (!column || events.length === 0) return { raw, others: [], warnings: [] };
  const warnings = events.flatMap(({ event, scaledBy }) => {
    if (scaledBy < LEAST_SCALE) return [];
    const share = (100 / scaledBy).toFixed(0);
    const message = `'${event}' shared a hardware counter and had it for ${share} % of the time: its weights are scaled`;
    return [{ code: 'multiplexed', message, fix: '' }];
  });
  if (events.length === 1 && events[0].scaledBy === 1) {
    return { raw: { ...raw, samples: rest }, others: [], warnings };
  }
  const [first, ...others] = events.map((about, index) => ({
    about: { ...about, samples: 0 },
    samples: samplesOf(raw, index, about.scaledBy),
  }));
  const all = [first, ...others];
  for (const one of all) one.about.samples = one.samples.node.length;
  const meta = { ...raw.meta, events: all.map(({ about }) => about) };
  const quality = others.length > 0 ? countedAgain(raw, first.samples) : raw.quality;
  return { raw: { ...raw, meta, samples: first.samples, quality }, others, warnings };
}

/**
 * What is told of several events, with how many samples each has now: of a part of a recording.
 * @param {RawProfile['meta']} meta of the first one
 * @param {number} samples its own
 * @param {readonly OtherEvent[]} others
 * @returns {RawProfile['meta']}
 */
function eventsCounted(meta, samples, others) {
  const counts = new Map([[meta.event, samples]]);
  for (const { about } of others) counts.set(about.event, about.samples ?? 0);
  const events = meta.events?.map((about) =>
    about.samples === undefined
      ? about
      : { ...about, samples: counts.get(about.event) ?? about.samples },
  );
  return events ? { ...meta, events } : meta;
}

/** @typedef {import('./profile').Profile} Profile */

/**
 * A profile for each of the events, the first one's first. They share threads, functions and stacks.
 * @param {Profile} profile
 * @returns {Profile[]}
 */
const eachEvent = (profile) => [
  profile,
  ...profile.others.map(({ about }) => profile.event(about.event)),
];

/**
 * The samples of all events in the order of time; at one time the first event's first.
 * @param {Profile} profile
 * @returns {Generator<[Profile, number]>} the event's profile and the sample in it
 */
function* inTime(profile) {
  const all = eachEvent(profile);
  const at = all.map(() => 0);
  const timeOf = (/** @type {number} */ event) =>
    all[event].raw.samples.timeNs[at[event]] ?? Infinity;
  for (;;) {
    let next = 0;
    for (let event = 1; event < all.length; event++) if (timeOf(event) < timeOf(next)) next = event;
    if (timeOf(next) === Infinity) return;
    yield [all[next], at[next]++];
  }
}

/** An event's name without its modifiers. @param {string} event */
const bareEvent = (event) => event.replace(/:[ukhp]+$/, '');

/**
 * The raw profile of one of the events.
 * @param {RawProfile} raw of the first one
 * @param {readonly OtherEvent[]} others
 * @param {string} name as it was asked for, as it was opened, or without modifiers
 * @returns {RawProfile | null} null: the first
 */
function rawOfEvent(raw, others, name) {
  const { event, requestedEvent, unit } = raw.meta;
  const all = [{ event, requestedEvent, unit }, ...others.map(({ about }) => about)];
  const tests = [
    (/** @type {typeof all[0]} */ one) => one.requestedEvent === name || one.event === name,
    (/** @type {typeof all[0]} */ one) => bareEvent(one.event) === bareEvent(name),
  ];
  const at = tests.map((test) => all.findIndex(test)).find((found) => found >= 0);
  if (at === undefined) {
    const names = all.map((one) => one.requestedEvent);
    const [near] = nearMatches(name, names);
    throw new ProfError(
      'ERR_PROF_BAD_EVENT',
      `there is no event '${name}' in this profile, ${near ? `did you mean '${near}'? I` : 'i'}t has ${names.join(', ')}`,
    );
  }
  if (at === 0) return null;
  const { about, samples } = others[at - 1];
  const own = { event: about.event, requestedEvent: about.requestedEvent, unit: about.unit };
  // Allocations are sampled by bytes, whatever the first event's rate is (memory/native.js).
  const rate = about.event.startsWith('alloc-') ? { frequency: 0, period: undefined } : {};
  const meta = { ...raw.meta, ...own, ...rate };
  return { ...raw, meta, samples, quality: countedAgain(raw, samples) };
}

module.exports = { bareEvent, eachEvent, eventsCounted, inTime, rawOfEvent, splitEvents };
