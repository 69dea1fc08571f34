'use strict';
// What a flame graph draws: a tree as columns, laid out along x in units of weight. Four of them:
// merged from the roots, merged from the leaves (reverse), by thread and time (flame chart), and a
// second profile's weight on the same paths (difference). A parent stands before its children.

/** @typedef {import('../profile/profile').Profile} Profile */
/**
 * @typedef {object} Frames
 * @property {number[]} parent -1 for the root, which is row 0
 * @property {number[]} func index of a function; ~thread for a thread's frame, -1 for the root
 * @property {number[]} name an id: two frames of one id have one name
 * @property {Float64Array} value weight of the frame and all in it
 * @property {Float64Array} count samples of them
 * @property {Float64Array} start left edge, in weight
 */

/** A tree that grows by one path after the other. */
class Trie {
  parent = [-1];
  func = [-1];
  name = [-1];
  /** @type {number[]} */
  self = [0];
  /** @type {number[]} */
  selfCount = [0];
  /** @type {Map<number, number>[]} children by name, by row */
  children = [];

  /** @param {number} up @param {number} name @param {number} func */
  add(up, name, func) {
    this.parent.push(up);
    this.func.push(func);
    this.name.push(name);
    this.self.push(0);
    this.selfCount.push(0);
    return this.parent.length - 1;
  }

  /** @param {number} up @param {number} name @param {number} func */
  child(up, name, func) {
    const known = (this.children[up] ??= new Map());
    let row = known.get(name);
    if (row === undefined) known.set(name, (row = this.add(up, name, func)));
    return row;
  }
}

/** @param {Trie} trie @returns {Frames} without its layout */
function summed({ parent, func, name, self, selfCount }) {
  const value = Float64Array.from(self);
  const count = Float64Array.from(selfCount);
  for (let row = parent.length - 1; row > 0; row--) {
    value[parent[row]] += value[row];
    count[parent[row]] += count[row];
  }
  return { parent, func, name, value, count, start: new Float64Array(parent.length) };
}

/**
 * Lays siblings side by side.
 * @param {Frames} frames
 * @param {((row: number) => string) | null} nameOf orders them by name; null: as they came
 */
function layOut(frames, nameOf) {
  const { parent, start, value } = frames;
  const names = nameOf ? parent.map((_, row) => (row > 0 ? nameOf(row) : '')) : null;
  const rows = parent.map((_, row) => row).slice(1);
  // By parent, whose own place is then known already: parents have lower numbers.
  rows.sort((a, b) => {
    if (parent[a] !== parent[b] || !names) return parent[a] - parent[b] || a - b;
    return names[a] < names[b] ? -1 : 1;
  });
  const next = new Float64Array(parent.length).fill(NaN);
  for (const row of rows) {
    const up = parent[row];
    if (Number.isNaN(next[up])) next[up] = start[up];
    start[row] = next[up];
    next[up] += value[row];
  }
  return frames;
}

/**
 * @param {Profile} profile
 * @returns {Frames}
 */
function fromRoots(profile) {
  const { id } = profile.namesByObject;
  const { func } = profile.raw.nodes;
  const { parent, node, merged } = profile.mergedBy(profile.namesByObject);
  const trie = new Trie();
  for (let row = 1; row < parent.length; row++) {
    trie.add(parent[row], id[func[node[row]]], func[node[row]]);
  }
  const { samples } = profile.raw;
  for (let sample = 0; sample < samples.node.length; sample++) {
    trie.self[merged[samples.node[sample]]] += samples.weight[sample];
    trie.selfCount[merged[samples.node[sample]]]++;
  }
  return summed(trie);
}

/**
 * @param {Profile} profile
 * @returns {Frames}
 */
function fromLeaves(profile) {
  const { id } = profile.namesByObject;
  const { parent, func } = profile.raw.nodes;
  const { node, weight } = profile.raw.samples;
  const self = new Float64Array(parent.length);
  const count = new Float64Array(parent.length);
  for (let sample = 0; sample < node.length; sample++) {
    self[node[sample]] += weight[sample];
    count[node[sample]]++;
  }
  const trie = new Trie();
  for (let leaf = 0; leaf < parent.length; leaf++) {
    if (count[leaf] === 0) continue;
    let row = 0;
    for (let at = leaf; at > 0; at = parent[at]) row = trie.child(row, id[func[at]], func[at]);
    trie.self[row] += self[leaf];
    trie.selfCount[row] += count[leaf];
  }
  return summed(trie);
}

/**
 * Each thread is a frame, its samples are in the order of time: a frame goes on as long as the next
 * sample of the thread has it at the same place.
 * @param {Profile} profile
 * @returns {Frames}
 */
function byTime(profile) {
  const { raw } = profile;
  const { id, text } = profile.namesByObject;
  const { parent, func } = raw.nodes;
  const { node, thread, weight } = raw.samples;
  const trie = new Trie();
  /** @type {Map<number, {row: number, open: number[]}>} by thread: its frame, the last sample's rows */
  const threads = new Map();
  for (let sample = 0; sample < node.length; sample++) {
    let own = threads.get(thread[sample]);
    if (!own) {
      // Its name's id is behind those of the functions.
      const row = trie.add(0, text.length + thread[sample], ~thread[sample]);
      threads.set(thread[sample], (own = { row, open: [] }));
    }
    const path = [];
    for (let at = node[sample]; at > 0; at = parent[at]) path.push(func[at]);
    path.reverse();
    let same = 0;
    while (same < path.length && same < own.open.length) {
      if (trie.name[own.open[same]] !== id[path[same]]) break;
      same++;
    }
    own.open.length = same;
    for (const one of path.slice(same)) {
      own.open.push(trie.add(own.open[own.open.length - 1] ?? own.row, id[one], one));
    }
    const leaf = own.open[own.open.length - 1] ?? own.row;
    trie.self[leaf] += weight[sample];
    trie.selfCount[leaf]++;
  }
  return summed(trie);
}

/**
 * What another profile has on the same paths.
 * @param {Frames} frames
 * @param {(row: number) => string} nameOf
 * @param {Frames} base
 * @param {(row: number) => string} baseNameOf
 * @returns {{value: Float64Array, missing: number}} by row of frames; missing: weight on paths that
 *   frames does not have
 */
function matched(frames, nameOf, base, baseNameOf) {
  /** @type {Map<string, number>[]} */
  const children = [];
  for (let row = 1; row < frames.parent.length; row++) {
    (children[frames.parent[row]] ??= new Map()).set(nameOf(row), row);
  }
  const value = new Float64Array(frames.parent.length);
  const rowOf = new Int32Array(base.parent.length).fill(-1);
  rowOf[0] = 0;
  value[0] = base.value[0];
  let missing = 0;
  for (let row = 1; row < base.parent.length; row++) {
    const up = rowOf[base.parent[row]];
    if (up < 0) continue;
    const found = children[up]?.get(baseNameOf(row));
    if (found === undefined) missing += base.value[row];
    else value[(rowOf[row] = found)] += base.value[row];
  }
  return { value, missing };
}

module.exports = { byTime, fromLeaves, fromRoots, layOut, matched };
