'use strict';
// What goes to and fro between JavaScript and Rust: calls of each plugin's hook and runs of each loader
// (counted while the build ran), the time that each took on either side, what Node-API's conversions
// took, and who calls across (from samples). docs/loaders-and-plugins.md says what each figure means.

const { readPaths } = require('./crossings.js');
const { KINDS } = require('./keys.js');
const { NO_LOADER } = require('./loaders.js');
const { Names, NOBODY, placeOf, placeOfTap } = require('./owners.js');
const { groupTotals, subtreeSums } = require('./tree.js');
const { sumSelected } = require('./select.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').Border} Border */

/** Rows of each list of callers. */
const MOST_CALLERS = 10;

/** @typedef {import('./crossings').Paths} Paths */
/** @typedef {import('./select').NodeSums} NodeSums */

/**
 * Samples and time of groups of nodes, each side apart.
 * @param {Profile} profile
 * @param {Paths} paths
 * @param {NodeSums} sums
 * @param {Int32Array} groupOf by node; -1: none
 * @param {number} groups
 */
function sumSides({ meta }, { running }, sums, groupOf, groups) {
  const rows = Array.from({ length: groups }, () => ({ samples: 0, total: 0, js: 0, rust: 0 }));
  for (let node = 1; node < groupOf.length; node++) {
    if (groupOf[node] < 0 || sums.count[node] === 0) continue;
    const row = rows[groupOf[node]];
    row.samples += sums.count[node];
    row.total += sums.weight[node];
    if (running[node] === 2) row.rust += sums.weight[node];
    else row.js += sums.weight[node];
  }
  const ms = (/** @type {number} */ weight) => (meta.unit === 'ns' ? weight / 1e6 : null);
  const share = (/** @type {number} */ weight) =>
    sums.totalWeight > 0 ? weight / sums.totalWeight : 0;
  return rows.map(({ samples, total, js, rust }) => ({
    samples,
    total,
    ...{ js, rust },
    share: share(total),
    ms: ms(total),
  }));
}

/**
 * @param {(number | null)[]} counts
 * @returns {number | null} null where none was counted
 */
function addCounts(counts) {
  const known = counts.filter((count) => count !== null);
  return known.length === 0 ? null : known.reduce((sum, count) => sum + count, 0);
}

/**
 * A row for each plugin and hook; a function that is tapped on several hooks has one row for all.
 * @param {Profile} profile
 * @param {Paths} paths
 * @param {NodeSums} sums
 * @returns {Border['hooks']}
 */
function hookRows(profile, paths, sums) {
  const { nodes, funcs } = profile.raw;
  /** @type {Map<string, import('../index').BuildNotes['taps']>} */
  const byPlace = new Map();
  for (const tap of profile.build.taps) {
    const place = tap.file === '' ? `${tap.plugin}\0${tap.hook}` : placeOfTap(tap);
    byPlace.set(place, [...(byPlace.get(place) ?? []), tap]);
  }
  /** @type {Map<string, {plugin: string, hooks: string[], counts: (number | null)[]}>} */
  const groups = new Map();
  /** @type {Map<string, number>} */
  const groupOfPlace = new Map();
  for (const [place, taps] of byPlace) {
    const hooks = [...new Set(taps.map(({ hook }) => hook))].sort();
    const plugin = [...new Set(taps.map((tap) => tap.plugin))].sort().join(' | ');
    const key = [plugin, ...hooks].join('\0');
    const group = groups.get(key) ?? { plugin, hooks, counts: [] };
    group.counts.push(...taps.map(({ calls }) => calls));
    groups.set(key, group);
    groupOfPlace.set(place, [...groups.keys()].indexOf(key));
  }
  const groupOfFunc = Array.from(funcs.name, (_, func) => {
    if (KINDS[funcs.kind[func]] !== 'js') return NOBODY;
    return groupOfPlace.get(placeOf(profile, func)) ?? NOBODY;
  });
  const groupOf = new Int32Array(nodes.func.length).fill(NOBODY);
  for (let node = 1; node < groupOf.length; node++) {
    const own = groupOfFunc[nodes.func[node]];
    groupOf[node] = own >= 0 ? own : groupOf[nodes.parent[node]];
  }
  const sides = sumSides(profile, paths, sums, groupOf, groups.size);
  return (
    [...groups.values()]
      .map(({ plugin, hooks, counts }, group) => ({
        plugin,
        hooks,
        calls: addCounts(counts),
        ...sides[group],
      }))
      // Of what was never called nothing is said, nor of an apply() that no sample met.
      .filter(({ hooks, calls, samples }) => samples > 0 || (calls !== 0 && hooks[0] !== 'apply'))
      .sort((a, b) => b.total - a.total || (b.calls ?? 0) - (a.calls ?? 0))
  );
}

/**
 * @param {Profile} profile
 * @param {Paths} paths
 * @param {NodeSums} sums
 * @returns {Border['loaders']}
 */
function loaderRows(profile, paths, sums) {
  const { names, ofNode, exact, files } = profile.loaders;
  const sides = sumSides(profile, paths, sums, ofNode, names.length);
  const told = new Float64Array(names.length);
  for (let node = 1; node < ofNode.length; node++) {
    if (!exact[node]) told[ofNode[node]] += sums.count[node];
  }
  const all = [...names, ...files.values()].filter(
    (name, index, list) => list.indexOf(name) === index && name !== NO_LOADER,
  );
  const nothing = { samples: 0, total: 0, js: 0, rust: 0, share: 0, ms: null };
  return all
    .map((name) => {
      const notes = profile.build.loaders.filter(({ path: file }) => files.get(file) === name);
      const index = names.indexOf(name);
      return {
        loader: name,
        runs: addCounts(notes.map(({ runs }) => runs)),
        entries: addCounts(notes.map(({ entries }) => entries)),
        ...(index >= 0 ? sides[index] : nothing),
        toldByFile: index >= 0 ? told[index] : 0,
      };
    })
    .filter(({ runs, samples }) => (runs ?? 0) > 0 || samples > 0)
    .sort((a, b) => b.total - a.total);
}

/**
 * @param {Profile} profile
 * @param {Paths} paths
 * @param {NodeSums} sums
 * @returns {Border['conversion']}
 */
function conversionOf(profile, paths, sums) {
  const { conversion, conversions } = paths;
  const rows = sumSides(profile, paths, sums, conversion, conversions.length)
    .map(({ samples, total, share, ms }, row) => ({
      name: conversions[row],
      samples,
      total,
      share,
      ms,
    }))
    .filter(({ samples }) => samples > 0)
    .sort((a, b) => b.total - a.total);
  const whole = { samples: 0, total: 0, share: 0 };
  for (const { samples, total, share } of rows) {
    whole.samples += samples;
    whole.total += total;
    whole.share += share;
  }
  return { ...whole, ms: profile.meta.unit === 'ns' ? whole.total / 1e6 : null, rows };
}

/**
 * Pairs of functions with nothing but plumbing between them, one on each side.
 * @param {Profile} profile
 * @param {Paths} paths
 * @param {NodeSums} sums
 * @param {boolean} isIntoJs
 * @returns {Border['rustToJs']}
 */
function callersOf(profile, paths, sums, isIntoJs) {
  const { parent, func } = profile.raw.nodes;
  const { id, text } = profile.namesByObject;
  const { sides, caller, rust, anyRust } = paths;
  const pairs = new Names();
  pairs.id('');
  const groupOf = new Int32Array(parent.length);
  for (let node = 1; node < parent.length; node++) {
    const up = parent[node];
    const side = sides[func[node]];
    let from = NOBODY;
    if (isIntoJs && side === 'js') from = rust[up] >= 0 ? rust[up] : anyRust[up];
    if (!isIntoJs && side === 'rust' && rust[up] < 0) from = caller[up];
    if (from >= 0) groupOf[node] = pairs.id(`${text[id[from]]}\0${text[id[func[node]]]}`);
  }
  const totalsOf = (/** @type {Float64Array} */ values) =>
    groupTotals(profile.depthFirst, groupOf, pairs.list.length, subtreeSums(parent, values));
  const [weight, count] = [totalsOf(sums.weight), totalsOf(sums.count)];
  return pairs.list
    .map((pair, group) => {
      const [from, to = ''] = pair.split('\0');
      const total = weight[group];
      const share = sums.totalWeight > 0 ? total / sums.totalWeight : 0;
      const ms = profile.meta.unit === 'ns' ? total / 1e6 : null;
      return { caller: from, callee: to, samples: count[group], total, share, ms };
    })
    .slice(1)
    .filter(({ samples }) => samples > 0)
    .sort((a, b) => b.total - a.total)
    .slice(0, MOST_CALLERS);
}

/**
 * @param {Profile} profile
 * @returns {Border}
 */
function borderOf(profile) {
  const paths = readPaths(profile);
  const sums = sumSelected(profile, {});
  const { taps, loaders } = profile.build;
  return {
    unit: profile.meta.unit,
    counted: taps.length + loaders.length > 0,
    hooks: hookRows(profile, paths, sums),
    loaders: loaderRows(profile, paths, sums),
    conversion: conversionOf(profile, paths, sums),
    rustToJs: callersOf(profile, paths, sums, true),
    jsToRust: callersOf(profile, paths, sums, false),
  };
}

module.exports = { borderOf };
