'use strict';
// A profile as the page needs it: the calling-context tree in depth-first order, so that a subtree is a
// range and the depths alone tell the parents; functions by name; a row for each sample. Nothing is left
// out, at exit either: the columns are small once compressed.

const { crateOf, objectOf } = require('../profile/keys.js');
const { fresh } = require('../profile/scratch.js');
const { depthFirst } = require('../profile/tree.js');
const { narrow, pack } = require('./pack.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../profile/scratch').Take} Take */
/** @typedef {{categories: boolean, level: number}} EncodeOptions level: of zlib */

/** Longer names (Rust's reach 22,000 characters) are cut in the page, not in the profile. */
const MOST_NAME = 1000;
/** One unit of the rows' times, where the recording is short enough for 32 bits of them. */
const TICK_NS = 1000;
const JS = 1;
/** What the page tells apart by colour: docs/report-html.md. Its view/palette.js has the same order. */
const COLOR_OF_KIND = [0, 4, 1, 3, 2, 1];
const COLOR_OF_TIER = [4, 5, 6, 7, 8];

/**
 * Strings, each once.
 * @returns {{list: string[], id: (text: string) => number}}
 */
function stringTable() {
  /** @type {string[]} */
  const list = [];
  /** @type {Map<string, number>} */
  const known = new Map();
  const id = (/** @type {string} */ text) => {
    let found = known.get(text);
    if (found === undefined) known.set(text, (found = list.push(text) - 1));
    return found;
  };
  return { list, id };
}

/**
 * @param {Int32Array} parent parents stand before their children
 * @param {Int32Array} order of depthFirst()
 * @param {Take} take
 * @returns {{place: Int32Array, depth: Uint16Array}} each node's place in the order, and the depths by place
 */
function placesOf(parent, order, take) {
  const place = take(Int32Array, order.length);
  const depth = take(Uint16Array, order.length);
  for (let at = 1; at < order.length; at++) {
    const node = order[at];
    place[node] = at;
    depth[at] = depth[place[parent[node]]] + 1;
  }
  return { place, depth };
}

/**
 * @param {Profile} profile
 * @param {number} func
 */
function colorOf({ raw }, func) {
  const kind = raw.funcs.kind[func];
  return kind === JS
    ? (COLOR_OF_TIER[raw.funcs.tier[func]] ?? COLOR_OF_KIND[JS])
    : COLOR_OF_KIND[kind];
}

/**
 * The functions of the nodes by name: two of one name are one line everywhere in the page.
 * @param {Profile} profile
 * @param {Int32Array} funcs of the nodes in the page's order; the root has none
 * @param {Take} [take] of ofNode
 */
function encodeFuncs(profile, funcs, take = fresh) {
  const { raw, namesByObject: names } = profile;
  const { file, line } = raw.funcs;
  const crates = stringTable();
  const objects = stringTable();
  const files = stringTable();
  const ofName = new Int32Array(names.text.length).fill(-1);
  const ofNode = take(Uint32Array, funcs.length);
  const table = {
    name: /** @type {string[]} */ ([]),
    crate: /** @type {number[]} */ ([]),
    object: /** @type {number[]} */ ([]),
    color: /** @type {number[]} */ ([]),
    file: /** @type {number[]} */ ([]),
    line: /** @type {number[]} */ ([]),
  };
  for (let i = 1; i < funcs.length; i++) {
    const own = funcs[i];
    const name = names.id[own];
    if (ofName[name] < 0) {
      const text = names.text[name];
      ofName[name] =
        table.name.push(text.length > MOST_NAME ? `${text.slice(0, MOST_NAME)}…` : text) - 1;
      table.crate.push(crates.id(crateOf(profile, own)));
      table.object.push(objects.id(objectOf(profile, own)));
      table.color.push(colorOf(profile, own));
      table.file.push(
        file[own] < 0 || raw.funcs.kind[own] === JS ? -1 : files.id(raw.strings[file[own]]),
      );
      table.line.push(line[own]);
    }
    ofNode[i] = ofName[name];
  }
  return {
    funcs: { ...table, crates: crates.list, objects: objects.list, files: files.list },
    ofNode,
  };
}

/**
 * @param {Profile} profile
 * @param {Int32Array} placeOf the page's node of each merged one
 * @param {Int32Array} merged by node
 * @param {Take} take
 */
function encodeRows({ raw, meta, threadNames, phaseColumn }, placeOf, merged, take) {
  const { timeNs, thread, node, weight } = raw.samples;
  const count = timeNs.length;
  // Some samples are stamped before the recording's own start: the clock is read in between.
  const startNs = Math.min(meta.startNs, timeNs[0] ?? Infinity);
  const endNs = Math.max(meta.endNs, timeNs[count - 1] ?? 0, startNs + 1);
  const tickNs = Math.max(TICK_NS, Math.ceil((endNs - startNs) / 2 ** 32));
  const step = take(Uint32Array, count);
  const place = take(Uint32Array, count);
  const weights = take(Float32Array, count);
  weights.set(weight);
  let last = 0;
  for (let i = 0; i < count; i++) {
    const now = Math.floor((timeNs[i] - startNs) / tickNs);
    step[i] = now - last;
    last = now;
    place[i] = placeOf[merged[node[i]]];
  }
  const columns = {
    step,
    node: narrow(place, placeOf.length, take),
    thread: narrow(thread, threadNames.length, take),
    phase: narrow(phaseColumn.phaseOfSample, phaseColumn.phases.length, take),
    weight: weights,
  };
  return { columns, startNs, endNs, tickNs };
}

/**
 * @param {Profile} profile
 * @param {number} startNs
 * @param {number} endNs
 */
function encodePhases({ phaseColumn: { phases, segments } }, startNs, endNs) {
  const ms = (/** @type {number} */ ns) =>
    Math.round((Math.min(Math.max(ns, startNs), endNs) - startNs) / 1e3) / 1e3;
  return {
    phases: phases.map(({ name, compiler, build }) => ({ name, compiler, build })),
    segments: segments.map((one) => [ms(one.startNs), ms(one.endNs), one.phase]),
  };
}

/**
 * The page is of one event: what it leaves out, it says.
 * @param {Profile} profile
 * @returns {import('../index').Warning[]}
 */
function otherEvents({ meta, others }) {
  if (others.length === 0) return [];
  const names = others.map(({ about }) => about.event).join(', ');
  return [
    {
      code: 'other-events',
      message: `this page is of ${meta.event}; also recorded, and not in it: ${names}`,
      fix: `npx rspack-prof export --event ${others[0].about.requestedEvent} --to html -o FILE.html`,
    },
  ];
}

/**
 * @param {Profile} profile
 * @param {EncodeOptions} options
 * @returns {string} what view/unpack.js reads
 */
function encodeProfile(profile, { categories, level }) {
  const work = categories ? profile.categories : undefined;
  return profile.scratch.lend((take) => encodeWith(profile, work, level, take));
}

/**
 * @param {Profile} profile
 * @param {Profile['categories'] | undefined} work
 * @param {number} level
 * @param {Take} take
 * @returns {string}
 */
function encodeWith(profile, work, level, take) {
  const { raw, meta, quality } = profile;
  const { parent, node, merged } = profile.mergedBy(profile.namesByObject);
  const { scratch } = profile;
  const order = take(Int32Array, parent.length);
  scratch.lend((own) => order.set(depthFirst(parent, own, scratch).order));
  const { place, depth } = placesOf(parent, order, take);
  const func = raw.nodes.func;
  const ownFunc = take(Int32Array, order.length);
  for (let i = 1; i < order.length; i++) ownFunc[i] = func[node[order[i]]];
  const { funcs, ofNode } = encodeFuncs(profile, ownFunc, take);
  // A loop: Uint8Array.from() with a function took 30 ms of an exit for 200,000 nodes.
  const inOrder = (/** @type {Uint8Array} */ values) => {
    const column = take(Uint8Array, order.length);
    for (let i = 1; i < order.length; i++) column[i] = values[node[order[i]]];
    return column;
  };
  const rows = encodeRows(profile, place, merged, take);
  const { startNs, endNs, tickNs } = rows;
  const header = {
    kind: 'profile',
    meta: { ...meta, startNs, endNs, tickNs, durationMs: (endNs - startNs) / 1e6 },
    quality: { ...quality, warnings: [...quality.warnings, ...otherEvents(profile)] },
    funcs,
    threads: profile.threadNames.map((name, i) => ({
      name,
      tid: raw.threads.tid[i],
      pool: profile.threadPools[i],
    })),
    ...encodePhases(profile, startNs, endNs),
    ...(work && { categories: work.names }),
  };
  const { inline } = raw.nodes;
  const columns = {
    depth,
    ...(inline.includes(1) && { inline: inOrder(inline) }),
    func: narrow(ofNode, funcs.name.length, take),
    ...(work && { category: inOrder(work.ofNode) }),
    ...Object.fromEntries(
      Object.entries(rows.columns).map(([name, column]) => [`row.${name}`, column]),
    ),
  };
  return pack(header, columns, level);
}

module.exports = { encodeFuncs, encodeProfile, placesOf };
