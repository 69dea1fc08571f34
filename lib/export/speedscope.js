'use strict';
// speedscope's own file format (file-format-schema.json of its package, 1.25): frames once for all,
// one 'sampled' profile a thread (of several events one for each, with the event in its name), samples in the
// order of time, so that its Time Order view is one.
// Piece by piece, since each sample spells its whole stack and the text gets long.

const pkg = require('../../package.json');
const { eachEvent } = require('../profile/events.js');
const { KINDS } = require('../profile/keys.js');
const { NO_STACK } = require('./folded.js');

/** @typedef {import('../profile/profile').Profile} Profile */

const SCHEMA = 'https://www.speedscope.app/file-format-schema.json';

/** The format's units by ours; another event's weight is a bare number. */
const UNITS = new Map([
  ['ns', 'nanoseconds'],
  ['bytes', 'bytes'],
]);

/**
 * One for each name: V8's tiers of a function are one function.
 * @param {Profile} profile
 * @returns {{frames: object[], ofFunc: Int32Array, none: number}} none: the frame of an empty stack
 */
function framesOf({ raw, names }) {
  const { file, line, column, kind, symbol } = raw.funcs;
  /** @type {object[]} */
  const frames = [];
  /** @type {Map<number, number>} */
  const known = new Map();
  const ofFunc = Int32Array.from(names.id, (id, func) => {
    let frame = known.get(id);
    if (frame === undefined) {
      // A JavaScript function's file stands beside it.
      const name = KINDS[kind[func]] === 'js' ? raw.strings[symbol[func]] : names.text[id];
      const hasFile = file[func] > 0;
      frame =
        frames.push({
          name: name || '[unknown]',
          ...(hasFile && { file: raw.strings[file[func]] }),
          ...(hasFile && line[func] > 0 && { line: line[func] }),
          ...(hasFile && line[func] > 0 && column[func] > 0 && { col: column[func] }),
        }) - 1;
      known.set(id, frame);
    }
    return frame;
  });
  // speedscope leaves out a sample without a frame: it would count nowhere.
  const none = frames.push({ name: NO_STACK }) - 1;
  return { frames, ofFunc, none };
}

/**
 * @param {Profile} profile
 * @returns {number[][]} the samples of each thread that has some, the busiest thread first
 */
function byThread({ raw }) {
  /** @type {number[][]} */
  const samples = raw.threads.tid.length > 0 ? Array.from(raw.threads.tid, () => []) : [];
  raw.samples.thread.forEach((thread, sample) => samples[thread].push(sample));
  return samples.filter((list) => list.length > 0).sort((a, b) => b.length - a.length);
}

/**
 * @param {Profile} profile
 * @param {number[]} samples of one thread
 * @param {(node: number) => string} stackText
 * @param {string} suffix of its name
 * @returns {Generator<string>}
 */
function* threadProfile({ raw, meta, threadKeys }, samples, stackText, suffix) {
  const { node, weight, thread } = raw.samples;
  const total = samples.reduce((sum, sample) => sum + weight[sample], 0);
  const head = {
    type: 'sampled',
    name: threadKeys[thread[samples[0]]] + suffix,
    unit: UNITS.get(meta.unit) ?? 'none',
    startValue: 0,
    endValue: total,
  };
  yield `${JSON.stringify(head).slice(0, -1)},"samples":[`;
  for (const [index, sample] of samples.entries()) {
    yield `${index > 0 ? ',\n' : ''}[${stackText(node[sample])}]`;
  }
  yield `],"weights":[${samples.map((sample) => weight[sample]).join(',')}]}`;
}

/**
 * @param {Profile} profile
 * @returns {Generator<string>}
 */
function* speedscope(profile) {
  const { parent, func } = profile.raw.nodes;
  const { frames, ofFunc, none } = framesOf(profile);
  /** @type {(string | undefined)[]} */
  const texts = [String(none)];
  const stackText = (/** @type {number} */ node) => {
    const known = texts[node];
    if (known !== undefined) return known;
    /** @type {number[]} */
    const path = [];
    for (let at = node; at > 0; at = parent[at]) path.push(ofFunc[func[at]]);
    return (texts[node] = path.reverse().join(','));
  };
  const head = {
    $schema: SCHEMA,
    name: profile.meta.command,
    exporter: `${pkg.name}@${pkg.version}`,
    activeProfileIndex: 0,
    shared: { frames },
  };
  yield `${JSON.stringify(head).slice(0, -1)},"profiles":[`;
  let separator = '';
  for (const own of eachEvent(profile)) {
    const suffix = profile.others.length > 0 ? ` (${own.meta.event})` : '';
    for (const samples of byThread(own)) {
      yield separator;
      yield* threadProfile(own, samples, stackText, suffix);
      separator = ',';
    }
  }
  yield ']}\n';
}

module.exports = { speedscope };
