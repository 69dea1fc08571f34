'use strict';
// Reads what pack.js wrote: the header and the columns, and what follows from them at once (parents,
// ends of subtrees, times).

/** @typedef {import('./types').Report} Report */
/** @typedef {import('./types').TreeColumns} TreeColumns */

const TYPES = { Uint8Array, Uint16Array, Uint32Array, Float32Array };
const ALIGNMENT = 4;

/**
 * @param {string} text base64
 * @returns {Promise<ArrayBuffer>}
 */
async function inflate(text) {
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).arrayBuffer();
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {any} the header, with the columns by name
 */
function readColumns(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const aligned = (/** @type {number} */ size) => Math.ceil(size / ALIGNMENT) * ALIGNMENT;
  let at = aligned(4 + length);
  /** @type {Record<string, any>} */
  const columns = {};
  for (const { name, type, length: rows } of header.columns) {
    const column = new TYPES[/** @type {keyof typeof TYPES} */ (type)](buffer, at, rows);
    columns[name] = column;
    at += aligned(column.byteLength);
  }
  return { ...header, columns };
}

/**
 * @param {Uint16Array} depth of a tree in depth-first order
 * @returns {{parent: Int32Array, end: Int32Array}} end: the first node behind the subtree
 */
function treeOf(depth) {
  const count = depth.length;
  const parent = new Int32Array(count).fill(-1);
  const end = new Int32Array(count);
  /** @type {number[]} the nodes that are open, by depth */
  const open = [];
  for (let i = 0; i < count; i++) {
    while (open.length > depth[i]) end[/** @type {number} */ (open.pop())] = i;
    if (i > 0) parent[i] = open[open.length - 1];
    open.push(i);
  }
  for (const node of open) end[node] = count;
  return { parent, end };
}

/**
 * Whose code a node's own samples are: an inlined function has none, the one it was put into does.
 * @param {Int32Array} parent
 * @param {Uint8Array} inline
 */
function ownersOf(parent, inline) {
  const owner = new Int32Array(parent.length);
  for (let i = 1; i < owner.length; i++) owner[i] = (inline[i] && owner[parent[i]]) || i;
  return owner;
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {Report}
 */
function readReport(buffer) {
  const { columns, ...header } = readColumns(buffer);
  const { depth, func, category, inline } = columns;
  const { parent, end } = treeOf(depth);
  const nodes = { depth, func, category, parent, end, owner: inline && ownersOf(parent, inline) };
  if (header.kind === 'diff') return { ...header, nodes, sides: diffSides(columns) };
  const step = columns['row.step'];
  const timeMs = new Float64Array(step.length);
  let tick = 0;
  for (let i = 0; i < step.length; i++) {
    tick += step[i];
    timeMs[i] = (tick * header.meta.tickNs) / 1e6;
  }
  const rows = {
    timeMs,
    node: columns['row.node'],
    thread: columns['row.thread'],
    phase: columns['row.phase'],
    weight: columns['row.weight'],
  };
  return { ...header, nodes, rows };
}

/** @param {Record<string, any>} columns */
function diffSides(columns) {
  return ['base', 'candidate'].map((side) => ({
    weight: Float64Array.from(columns[`${side}.weight`]),
    count: Float64Array.from(columns[`${side}.count`]),
  }));
}

module.exports = { inflate, readReport };
