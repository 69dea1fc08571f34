'use strict';
// The tables of a Firefox profile that all threads share: strings, libraries, frames, functions.
// They are our columns nearly as they are, by the same indices.

const { KINDS } = require('../profile/keys.js');

/** @typedef {import('../profile/raw').RawProfile} RawProfile */

const CATEGORIES = [
  { name: 'Other', color: 'grey', subcategories: ['Other'] },
  { name: 'Rust', color: 'orange', subcategories: ['Other'] },
  { name: 'JavaScript', color: 'yellow', subcategories: ['Other'] },
  { name: 'Native', color: 'blue', subcategories: ['Other'] },
  { name: 'V8', color: 'green', subcategories: ['Other'] },
  { name: 'Kernel', color: 'red', subcategories: ['Other'] },
  { name: 'Build phase', color: 'purple', subcategories: ['Other'] },
];
/** Of markers that are phases. */
const PHASE_CATEGORY = 6;
/** By funcs.kind. */
const CATEGORY_OF_KIND = [1, 2, 3, 4, 5, 0];

/** By hand: Array.from() makes an object for each number. @param {ArrayLike<number>} column */
function list(column) {
  /** @type {number[]} */
  const numbers = new Array(column.length);
  for (let i = 0; i < column.length; i++) numbers[i] = column[i];
  return numbers;
}

/** Strings of the profile and those that the format needs beside them. */
class Strings {
  /** @param {readonly string[]} strings */
  constructor(strings) {
    this.array = [...strings];
    /** @type {Map<string, number>} */
    this.index = new Map();
    this.array.forEach((text, index) => this.index.set(text, index));
  }

  /** @param {string} text */
  add(text) {
    let index = this.index.get(text);
    if (index === undefined) {
      index = this.array.push(text) - 1;
      this.index.set(text, index);
    }
    return index;
  }
}

/**
 * Breakpad's id of an ELF file: the build id's first 16 bytes read as a GUID (its first three
 * fields little-endian), then the age, 0. The layout is that of dump_syms and of samply.
 * @param {string} buildId hex
 */
function breakpadId(buildId) {
  if (buildId === '') return '';
  const bytes = buildId.padEnd(32, '0').slice(0, 32).toUpperCase().match(/../g) ?? [];
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return `${order.map((index) => bytes[index]).join('')}0`;
}

/** @param {RawProfile} raw */
function libsOf({ strings, modules }) {
  return list(modules.path).map((pathIndex, module) => {
    const name = strings[modules.name[module]];
    const path = strings[pathIndex];
    const buildId = strings[modules.buildId[module]];
    return {
      arch: 'x86_64',
      name,
      path,
      debugName: name,
      debugPath: path,
      breakpadId: breakpadId(buildId),
      codeId: buildId === '' ? null : buildId,
    };
  });
}

/**
 * The format's categories; ours (lib/profile/categories.js) are subcategories of each.
 * @param {readonly string[]} ours
 */
const categoriesWith = (ours) =>
  CATEGORIES.map(({ subcategories, ...own }) => ({
    ...own,
    subcategories: [...subcategories, ...ours],
  }));

/**
 * Frames: a function, or a function that was inlined; with `ofNode` once for each kind of work.
 * @param {RawProfile} raw
 * @param {Uint8Array} [ofNode] category of ours by node
 */
function framesOf({ funcs, nodes }, ofNode) {
  const frameOfNode = new Int32Array(nodes.func.length);
  /** @type {Map<number, number>} */
  const known = new Map();
  /** @type {number[]} */
  const func = [];
  /** @type {number[]} */
  const inlineDepth = [];
  /** @type {number[]} 0 is the format's own "Other" */
  const subcategory = [];
  for (let node = 1; node < nodes.func.length; node++) {
    const work = ofNode ? ofNode[node] + 1 : 0;
    const key = (nodes.func[node] * 256 + work) * 2 + (nodes.inline[node] ? 1 : 0);
    let frame = known.get(key);
    if (frame === undefined) {
      frame = func.push(nodes.func[node]) - 1;
      inlineDepth.push(nodes.inline[node] ? 1 : 0);
      subcategory.push(work);
      known.set(key, frame);
    }
    frameOfNode[node] = frame;
  }
  const length = func.length;
  const fill = (/** @type {number | null} */ value) => new Array(length).fill(value);
  const frameTable = {
    length,
    address: fill(-1),
    inlineDepth,
    category: func.map((index) => CATEGORY_OF_KIND[funcs.kind[index]]),
    subcategory,
    func,
    nativeSymbol: fill(null),
    innerWindowID: fill(0),
    line: fill(null),
    column: fill(null),
  };
  return { frameTable, frameOfNode };
}

/** @param {RawProfile} raw */
function funcsOf({ funcs }) {
  /** @type {number[]} */
  const filename = [];
  /** @type {Map<number, number>} */
  const known = new Map();
  const source = list(funcs.file).map((file) => {
    if (file < 0) return null;
    if (!known.has(file)) known.set(file, filename.push(file) - 1);
    return known.get(file) ?? null;
  });
  const js = KINDS.indexOf('js');
  const length = funcs.name.length;
  const orNull = (/** @type {number} */ value) => (value === 0 ? null : value);
  return {
    funcTable: {
      length,
      name: list(funcs.name),
      isJS: list(funcs.kind).map((kind) => kind === js),
      relevantForJS: new Array(length).fill(false),
      resource: list(funcs.module),
      source,
      lineNumber: list(funcs.line).map(orNull),
      columnNumber: list(funcs.column).map(orNull),
    },
    sources: {
      length: filename.length,
      id: filename.map(() => null),
      filename,
      startLine: filename.map(() => 1),
      startColumn: filename.map(() => 1),
      sourceMapURL: filename.map(() => null),
    },
  };
}

module.exports = { PHASE_CATEGORY, Strings, categoriesWith, framesOf, funcsOf, libsOf, list };
