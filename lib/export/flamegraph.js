'use strict';
// A flame graph as one HTML file that needs nothing else: d3-flame-graph and what it needs stand
// inside. The tree is pruned to what can be seen, which the page says. Names are data only: they
// go in as JSON without a '<', and onto the page as text.

const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('../index').CallTreeNode} CallTreeNode */

/** A frame below this percentage is under 2 pixels on a wide screen. */
const LEAST_PERCENT = 0.1;
const MOST_DEPTH = 1000;
/** Longer names (Rust's reach 22,000 characters) are cut for the page, not for the profile. */
const MOST_NAME = 500;

/** d3-flame-graph's peers, each after what it needs. */
const D3_MODULES = [
  'd3-array',
  'd3-color',
  'd3-dispatch',
  'd3-ease',
  'd3-format',
  'd3-hierarchy',
  'd3-interpolate',
  'd3-time',
  'd3-time-format',
  'd3-timer',
  'd3-scale',
  'd3-selection',
  'd3-transition',
];

/**
 * What goes into the page: the scripts, and the licences under which they may stand there.
 * @returns {{script: string, licences: string}}
 */
function library() {
  const chart = require.resolve('d3-flame-graph');
  const fromChart = createRequire(chart);
  const fromScale = createRequire(fromChart.resolve('d3-scale'));
  const fromTransition = createRequire(fromChart.resolve('d3-transition'));
  const fromInterpolate = createRequire(fromScale.resolve('d3-interpolate'));
  const finders = [fromChart, fromScale, fromTransition, fromInterpolate];
  const parts = D3_MODULES.map((name) => {
    // The main file is src/index.js, an ES module; the classic script is in dist/ beside it.
    const folder = path.join(path.dirname(firstResolved(finders, name)), '..');
    return { name, folder, file: path.join('dist', `${name}.min.js`) };
  });
  const chartFile = path.join('dist', path.basename(chart).replace(/\.js$/, '.min.js'));
  const chartFolder = path.join(path.dirname(chart), '..');
  parts.push({ name: 'd3-flame-graph', folder: chartFolder, file: chartFile });

  const read = (/** @type {string} */ file) => fs.readFileSync(file, 'utf8');
  const scripts = parts.map(({ folder, file }) => read(path.join(folder, file)));
  const licences = parts.map(
    ({ name, folder }) => `${name}\n\n${read(path.join(folder, 'LICENSE'))}`,
  );
  // A '</script' inside a string of theirs would end the element.
  const inScript = (/** @type {string} */ text) => text.replace(/<\/script/gi, '<\\/script');
  return { script: inScript(scripts.join('\n;\n')), licences: inScript(licences.join('\n\n')) };
}

/**
 * @param {NodeJS.Require[]} finders
 * @param {string} name
 */
function firstResolved(finders, name) {
  for (const finder of finders) {
    try {
      return finder.resolve(name);
    } catch {
      // Not among this one's packages: the next one may have it (pnpm keeps them apart).
    }
  }
  return require.resolve(name);
}

/**
 * The tree as columns: deep trees would overflow JSON.stringify, and names repeat.
 * @param {CallTreeNode} root
 */
function columnsOf(root) {
  /** @type {string[]} */
  const names = [];
  /** @type {Map<string, number>} */
  const known = new Map();
  const columns = {
    names,
    parent: /** @type {number[]} */ ([]),
    name: /** @type {number[]} */ ([]),
    kind: /** @type {string[]} */ ([]),
    total: /** @type {number[]} */ ([]),
    self: /** @type {number[]} */ ([]),
  };
  const queue = [{ node: root, parent: -1 }];
  for (let i = 0; i < queue.length; i++) {
    const { node, parent } = queue[i];
    const name = node.name.length > MOST_NAME ? `${node.name.slice(0, MOST_NAME)}…` : node.name;
    let index = known.get(name);
    if (index === undefined) {
      index = names.push(name) - 1;
      known.set(name, index);
    }
    columns.parent.push(parent);
    columns.name.push(index);
    columns.kind.push(node.kind);
    columns.total.push(node.total);
    columns.self.push(node.self);
    for (const child of node.children) queue.push({ node: child, parent: i });
  }
  return columns;
}

/**
 * JSON that can stand inside a script element: no '<', and none of the line ends that only
 * JavaScript knows.
 * @param {unknown} value
 */
function safeJson(value) {
  return JSON.stringify(value)
    .replace(/</g, '\\u003c')
    .replace(/\u2028/g, '\\u2028')
    .replace(/\u2029/g, '\\u2029');
}

/** @param {string} text */
function escapeHtml(text) {
  /** @type {Record<string, string>} */
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (char) => entities[char]);
}

/**
 * @param {Profile} profile
 * @returns {string}
 */
function flamegraph(profile) {
  const { meta, quality } = profile;
  const tree = profile.callTree({
    percentLimit: LEAST_PERCENT,
    maxDepth: MOST_DEPTH,
    unnamed: 'together',
  });
  const data = { ...columnsOf(tree), unit: meta.unit, whole: profile.totalWeight };
  const { script, licences } = library();
  const page = fs.readFileSync(path.join(__dirname, 'flamegraph.html'), 'utf8');
  const seconds = (meta.durationMs / 1000).toFixed(2);
  /** @type {Record<string, string>} */
  const values = {
    TITLE: escapeHtml(`${meta.command} - rspack-prof`),
    COMMAND: escapeHtml(meta.command),
    SUMMARY: escapeHtml(
      `${quality.samples} samples of ${meta.event} in ${seconds} s, ` +
        `${(quality.completeShare * 100).toFixed(2)} % of the stacks complete, ${quality.lost} lost. ` +
        `Frames below ${LEAST_PERCENT} % are left out.`,
    ),
    LICENCES: licences,
    DATA: safeJson(data),
    LIBRARY: script,
  };
  // One pass with a function: a value's own "{{" or "$&" is not looked at again.
  return page.replace(/(?:\/\* )?\{\{([A-Z]+)\}\}(?: \*\/)?/g, (_, name) => values[name]);
}

module.exports = { flamegraph };
