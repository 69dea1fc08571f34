'use strict';
// The tables of a Firefox profile that all threads share: strings, libraries, frames, functions.
// They are our columns nearly as they are, by the same indices.

const { KINDS } = require('../profile/keys.js');
const { Column } = require('./json.js');

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

/** Of a file that does not tell: until it was noted there was no other. @param {{arch?: string}} meta */
const archOf = ({ arch = 'x86_64' }) => arch;

/** @param {RawProfile} raw */
function libsOf({ strings, modules, meta }) {
  return Array.from(modules.path, (pathIndex, module) => {
    const name = strings[modules.name[module]];
    const path = strings[pathIndex];
    const buildId = strings[modules.buildId[module]];
    return {
      arch: archOf(meta),
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
 * Frames: a function, or a function that was inlined; with `work` once for each kind of that.
 * @param {RawProfile} raw
 * @param {import('../profile/scratch').Take} take
 * @param {{names: string[], ofNode: Uint8Array}} [work] categories of ours
 */
function framesOf({ funcs, nodes }, take, work) {
  const frameOfNode = take(Int32Array, nodes.func.length);
  /** Kinds of work, and none. */
  const kinds = work ? work.names.length + 1 : 1;
  /** By function, kind of work, inlined or not: its frame and 1; 0: none yet. */
  const known = new Int32Array(funcs.name.length * kinds * 2);
  /** @type {number[]} */
  const func = [];
  /** @type {number[]} */
  const inlineDepth = [];
  /** @type {number[]} 0 is the format's own "Other" */
  const subcategory = [];
  for (let node = 1; node < nodes.func.length; node++) {
    const kind = work ? work.ofNode[node] + 1 : 0;
    const key = (nodes.func[node] * kinds + kind) * 2 + (nodes.inline[node] ? 1 : 0);
    if (known[key] === 0) {
      known[key] = func.push(nodes.func[node]);
      inlineDepth.push(nodes.inline[node] ? 1 : 0);
      subcategory.push(kind);
    }
    frameOfNode[node] = known[key] - 1;
  }
  const length = func.length;
  const zeros = new Uint8Array(length);
  const nulls = new Column(zeros, { nullAt: 0 });
  const frameTable = {
    length,
    address: new Column(zeros, { add: -1 }),
    inlineDepth,
    category: new Column(Uint8Array.from(func, (index) => CATEGORY_OF_KIND[funcs.kind[index]])),
    subcategory,
    func,
    nativeSymbol: nulls,
    innerWindowID: new Column(zeros),
    line: nulls,
    column: nulls,
  };
  return { frameTable, frameOfNode };
}

/** @param {RawProfile} raw */
function funcsOf({ funcs }) {
  /** @type {number[]} */
  const filename = [];
  /** @type {Map<number, number>} */
  const known = new Map();
  const source = new Int32Array(funcs.file.length).fill(-1);
  for (let func = 0; func < source.length; func++) {
    const file = funcs.file[func];
    if (file < 0) continue;
    if (!known.has(file)) known.set(file, filename.push(file) - 1);
    source[func] = known.get(file) ?? -1;
  }
  const js = KINDS.indexOf('js');
  const length = funcs.name.length;
  return {
    funcTable: {
      length,
      name: new Column(funcs.name),
      isJS: Array.from(funcs.kind, (kind) => kind === js),
      relevantForJS: new Array(length).fill(false),
      resource: new Column(funcs.module),
      source: new Column(source, { nullAt: -1 }),
      lineNumber: new Column(funcs.line, { nullAt: 0 }),
      columnNumber: new Column(funcs.column, { nullAt: 0 }),
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

module.exports = { PHASE_CATEGORY, Strings, archOf, categoriesWith, framesOf, funcsOf, libsOf };
