'use strict';
// What `perf script` prints (6.1's default fields with pid and CPU), for stackcollapse-perf.pl,
// inferno, speedscope and whatever else reads that text. An address is its function's: the text
// gives no offset behind a name.

/** @typedef {import('../profile/profile').Profile} Profile */

const { KINDS } = require('../profile/keys.js');

/** @param {string} name */
const oneLine = (name) => name.replace(/[\r\n\u2028\u2029]+/g, ' ').trim() || '[unknown]';

/** stackcollapse-perf.pl takes a frame in parentheses for a process's name and skips it. */
const frameName = (/** @type {string} */ name) =>
  oneLine(name)
    .replace(/^\(([^()]*)\)/, '<$1>')
    .replace(/^\(/, '<');

/** Readers look for a place without blanks in it. */
const placeName = (/** @type {string} */ name) => oneLine(name).replace(/\s/g, '_');

/**
 * perf's word for where a function's code is.
 * @param {Profile} profile
 * @param {number} func
 */
function placeOf({ raw, meta, nodeObject }, func) {
  const module = raw.funcs.module[func];
  if (module >= 0) return placeName(raw.strings[raw.modules.path[module]]);
  const kind = KINDS[raw.funcs.kind[func]];
  if (kind === 'kernel') return '[kernel.kallsyms]';
  if (kind === 'js') return `/tmp/perf-${meta.pid}.map`;
  return kind === 'v8' ? placeName(nodeObject) : '[unknown]';
}

/**
 * @param {Profile} profile
 * @returns {Generator<string>}
 */
function* perfScript(profile) {
  const { raw, meta, names, threadNames } = profile;
  const { parent, func, inline } = raw.nodes;
  const { address } = raw.funcs;
  const lineOf = (/** @type {number} */ own, /** @type {boolean} */ inlined) => {
    const hex = BigInt.asUintN(64, BigInt(Math.round(address?.[own] ?? 0))).toString(16);
    const place = inlined ? 'inlined' : placeOf(profile, own);
    return `\t${hex.padStart(16)} ${frameName(names.text[names.id[own]])} (${place})\n`;
  };
  /** @type {string[][]} by function: as called, as inlined */
  const lines = [[], []];
  const { node, thread, cpu, timeNs, weight } = raw.samples;
  for (let sample = 0; sample < node.length; sample++) {
    const micros = Math.round(timeNs[sample] / 1e3);
    const time = `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}`;
    const comm = oneLine(threadNames[thread[sample]]);
    const ids = `${meta.pid}/${raw.threads.tid[thread[sample]]}`;
    const onCpu = `[${String(cpu[sample]).padStart(3, '0')}]`;
    let text = `${comm} ${ids} ${onCpu} ${time}: ${Math.round(weight[sample])} ${meta.event}: \n`;
    for (let at = node[sample]; at > 0; at = parent[at]) {
      const own = func[at];
      text += lines[inline[at]][own] ??= lineOf(own, inline[at] === 1);
    }
    yield `${text}\n`;
  }
}

module.exports = { perfScript };
