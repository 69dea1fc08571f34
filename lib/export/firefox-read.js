'use strict';
// Reads back what firefox.js wrote. The file may come from anybody: every column is checked to be
// there, to be numbers, to be as long as its table, and every index to lead inside its table
// (profile/columns.js); what is wrong is named in one line.
// Refuses profiles of other tools: without `meta.rspackProf` there is no kind, crate or quality.

const fs = require('node:fs');
const { ProfError } = require('../errors.js');
const { Profile } = require('../profile/profile.js');
const { bad, readJson } = require('./json-file.js');
const { readBuild } = require('./build-notes.js');
const { BadProfile, array, integers, mapThrough, numbers, object, text } = require('./checks.js');
const { GECKO_VERSION, OWN_VERSION, VERSION } = require('./firefox.js');
const { readMemory, readMeta, readOthers, readQuality } = require('./firefox-read-own.js');
const { CPU_UNITS, MARKER_TYPES } = require('./firefox-threads.js');

/** @typedef {import('../profile/raw').RawProfile} RawProfile */
/** @typedef {import('../profile/raw').Marker} Marker */
/** @typedef {Record<string, any>} Json */

const NS_PER_MS = 1e6;
/** Stands for null in a column of times; no time is that early. */
const OPEN_END = -Number.MAX_VALUE;
const TYPE_OF_MARKER = new Map(
  Object.entries(MARKER_TYPES).map(([type, name]) => [name, /** @type {Marker['type']} */ (type)]),
);

/**
 * @param {Json} json
 * @param {Json} own
 * @param {number} functions
 */
function readFuncs(json, own, functions) {
  const { funcTable, sources } = json.shared;
  const table = object(funcTable, 'funcTable');
  const mine = object(own.funcs, 'rspackProf.funcs');
  const filename = numbers(object(sources, 'sources').filename, 'sources.filename');
  const column = (/** @type {string} */ name, /** @type {number | null} */ none = null) =>
    numbers(table[name], `funcTable.${name}`, functions, none);
  const extra = (/** @type {string} */ name) =>
    numbers(mine[name], `rspackProf.funcs.${name}`, functions);
  const source = column('source', -1);
  const sourced = source.filter((index) => index !== -1);
  mapThrough(sourced, 'funcTable.source', (index) => index, filename.length);
  return {
    name: integers(Uint32Array, column('name'), 'funcTable.name'),
    symbol: integers(Uint32Array, extra('symbol'), 'funcs.symbol'),
    module: integers(Int32Array, column('resource'), 'funcTable.resource'),
    crate: integers(Int32Array, extra('crate'), 'funcs.crate'),
    kind: integers(Uint8Array, extra('kind'), 'funcs.kind'),
    file: integers(
      Int32Array,
      source.map((index) => (index < 0 ? -1 : filename[index])),
      'sources.filename',
    ),
    line: integers(Uint32Array, column('lineNumber', 0), 'funcTable.lineNumber'),
    column: integers(Uint32Array, column('columnNumber', 0), 'funcTable.columnNumber'),
    tier: integers(Uint8Array, extra('tier'), 'funcs.tier'),
    named: integers(Uint8Array, extra('named'), 'funcs.named'),
    // Profiles from before it was written have none.
    ...(mine.address !== undefined && { address: Float64Array.from(extra('address')) }),
  };
}

/** @param {Json} shared */
function readNodes(shared) {
  const { stackTable, frameTable } = shared;
  const stacks = object(stackTable, 'stackTable');
  const frames = object(frameTable, 'frameTable');
  const func = numbers(frames.func, 'frameTable.func');
  const depth = numbers(frames.inlineDepth, 'frameTable.inlineDepth', func.length);
  const frame = numbers(stacks.frame, 'stackTable.frame');
  const prefix = numbers(stacks.prefix, 'stackTable.prefix', frame.length, -1);
  const through = (/** @type {(row: number) => number} */ at) =>
    mapThrough(frame, 'stackTable.frame', at, func.length);
  const alone = frame.findIndex((row, i) => prefix[i] < 0 && depth[row] > 0);
  if (alone >= 0) throw new BadProfile(`stackTable.frame[${alone}] is inlined into nothing`);
  return {
    parent: integers(Int32Array, [-1, ...prefix.map((index) => index + 1)], 'stackTable.prefix'),
    func: integers(Int32Array, [-1, ...through((row) => func[row])], 'frameTable.func'),
    inline: new Uint8Array([0, ...through((row) => (depth[row] > 0 ? 1 : 0))]),
  };
}

/**
 * @param {Json} json
 * @param {Json} own
 * @param {number} threads
 */
function readSamples(json, own, threads) {
  const mine = object(own.samples, 'rspackProf.samples');
  const isTime = CPU_UNITS.has(own.meta.unit);
  // Waits are no CPU time: such a file has all weights in ms, and the states.
  const hasWaits = own.meta.switches !== undefined;
  const startNs = own.meta.startNs;
  /** @type {{timeNs: number, thread: number, cpu: number, node: number, weight: number, end: number, flags: number, state: number}[]} */
  const all = [];
  for (let thread = 0; thread < threads; thread++) {
    const where = `threads[${thread}].samples`;
    const table = object(json.threads[thread].samples, where);
    const stack = numbers(table.stack, `${where}.stack`, undefined, -1);
    const length = stack.length;
    const deltas = numbers(table.timeDeltas, `${where}.timeDeltas`, length);
    const weightName = isTime && !hasWaits ? 'threadCPUDelta' : 'weight';
    const weights = numbers(table[weightName], `${where}.${weightName}`, length);
    const extra = (/** @type {string} */ name) => {
      const column = `rspackProf.samples.${name}`;
      const lists = array(mine[name], column, threads);
      return numbers(lists[thread], `${column}[${thread}]`, length);
    };
    const [cpu, end, flags] = [extra('cpu'), extra('end'), extra('flags')];
    const state = hasWaits ? extra('state') : [];
    let timeNs = startNs;
    for (let i = 0; i < length; i++) {
      timeNs += Math.round(deltas[i] * NS_PER_MS);
      all.push({
        timeNs,
        thread,
        cpu: cpu[i],
        node: stack[i] + 1,
        weight: hasWaits ? Math.round(weights[i] * NS_PER_MS) : weights[i],
        end: end[i],
        flags: flags[i],
        state: state[i] ?? 0,
      });
    }
  }
  all.sort((a, b) => a.timeNs - b.timeNs || a.thread - b.thread);
  const list = (/** @type {keyof typeof all[0]} */ name) => all.map((row) => row[name]);
  return {
    timeNs: Float64Array.from(list('timeNs')),
    thread: Uint32Array.from(list('thread')),
    cpu: integers(Uint16Array, list('cpu'), 'samples.cpu'),
    node: integers(Uint32Array, list('node'), 'samples.stack'),
    weight: Float64Array.from(list('weight')),
    end: integers(Uint8Array, list('end'), 'samples.end'),
    flags: integers(Uint8Array, list('flags'), 'samples.flags'),
    ...(hasWaits && { state: integers(Uint8Array, list('state'), 'samples.state') }),
  };
}

/**
 * @param {Json} json
 * @param {string[]} strings
 * @param {number} startNs
 * @returns {Marker[]}
 */
function readMarkers(json, strings, startNs) {
  const main = json.threads.find((/** @type {Json} */ thread) => thread.isMainThread);
  if (!main) return [];
  const table = object(main.markers, 'markers');
  const name = numbers(table.name, 'markers.name');
  const names = mapThrough(name, 'markers.name', (index) => index, strings.length);
  const start = numbers(table.startTime, 'markers.startTime', names.length);
  const end = numbers(table.endTime, 'markers.endTime', names.length, OPEN_END);
  const data = array(table.data, 'markers.data', names.length);
  const ns = (/** @type {number} */ ms) => startNs + Math.round(ms * NS_PER_MS);
  return names.map((index, row) => {
    const payload = object(data[row], 'markers.data');
    const type = TYPE_OF_MARKER.get(payload.type) ?? 'mark';
    const open = end[row] === OPEN_END;
    return {
      type,
      name: strings[index],
      startNs: ns(start[row]),
      endNs: type === 'mark' ? ns(start[row]) : open ? null : ns(end[row]),
      data: payload.data === undefined ? undefined : parseJson(payload.data),
    };
  });
}

/** @param {unknown} source */
function parseJson(source) {
  try {
    return JSON.parse(text(source, 'markers.data'));
  } catch {
    return source; // shown as it is: a mark's data is for people
  }
}

/**
 * @param {Json} meta
 * @param {Json} own
 */
function checkVersions({ version, preprocessedProfileVersion: processed }, own) {
  if (own.version !== OWN_VERSION) {
    throw new BadProfile(
      `it is of version ${own.version} and this rspack-prof reads ${OWN_VERSION}`,
    );
  }
  // The Firefox Profiler writes what it has read in its own version.
  for (const [found, known] of [
    [processed, VERSION],
    [version, GECKO_VERSION],
  ]) {
    if (found === undefined || found <= known) continue;
    throw new BadProfile(
      `it is of version ${found} of the Firefox Profiler's format and this rspack-prof reads ${known}: take the file that rspack-prof wrote, or a newer rspack-prof`,
    );
  }
}

/**
 * @param {unknown} parsed
 * @returns {Profile}
 */
function fromFirefox(parsed) {
  const json = object(parsed, 'top-level object');
  const own = object(json.meta, 'meta').rspackProf;
  if (typeof own !== 'object' || own === null) {
    throw new BadProfile('it is not one of rspack-prof (no meta.rspackProf in it)');
  }
  checkVersions(json.meta, own);
  const meta = readMeta(own);
  const shared = object(json.shared, 'shared');
  const strings = array(shared.stringArray, 'stringArray');
  strings.forEach((item) => text(item, 'a stringArray entry'));
  const mineThreads = object(own.threads, 'rspackProf.threads');
  const startNs = numbers(mineThreads.startNs, 'rspackProf.threads.startNs');
  const count = startNs.length;
  const threadList = array(json.threads, 'threads');
  threadList.forEach((thread) => object(thread, 'thread'));
  if (threadList.length < count) throw new BadProfile(`it has ${threadList.length} threads only`);
  const endNs = numbers(mineThreads.endNs, 'rspackProf.threads.endNs', count);

  // Thread and library names are strings of their own in this format.
  const allStrings = [...strings];
  /** @type {Map<string, number>} */
  const known = new Map(allStrings.map((item, index) => [item, index]));
  const intern = (/** @type {string} */ item) => {
    if (!known.has(item)) known.set(item, allStrings.push(item) - 1);
    return known.get(item) ?? 0;
  };
  const libs = array(json.libs, 'libs').map((lib) => object(lib, 'libs row'));
  const mineModules = object(own.modules, 'rspackProf.modules');
  const moduleColumn = (/** @type {string} */ name) =>
    numbers(mineModules[name], `rspackProf.modules.${name}`, libs.length);
  const funcs = object(shared.funcTable, 'funcTable');

  /** @type {RawProfile} */
  const raw = {
    strings: allStrings,
    meta: /** @type {RawProfile['meta']} */ (meta),
    threads: {
      tid: integers(
        Uint32Array,
        threadList.slice(0, count).map(({ tid }) => Number(tid)),
        'threads.tid',
      ),
      name: Uint32Array.from(threadList.slice(0, count), ({ name }) =>
        intern(text(name, 'threads.name')),
      ),
      startNs: Float64Array.from(startNs),
      endNs: Float64Array.from(endNs),
    },
    modules: {
      path: Uint32Array.from(libs, ({ path }) => intern(text(path, 'libs.path'))),
      name: Uint32Array.from(libs, ({ name }) => intern(text(name, 'libs.name'))),
      buildId: Uint32Array.from(libs, ({ codeId }) => intern(text(codeId ?? '', 'libs.codeId'))),
      start: Float64Array.from(moduleColumn('start')),
      end: Float64Array.from(moduleColumn('end')),
      flags: integers(Uint8Array, moduleColumn('flags'), 'modules.flags'),
    },
    funcs: readFuncs(json, own, array(funcs.name, 'funcTable.name').length),
    ...readMemory(own),
    nodes: readNodes(shared),
    samples: readSamples(json, own, count),
    quality: /** @type {RawProfile['quality']} */ (readQuality(own)),
  };
  const { command, node, rspack = null, binding = null } = meta;
  return new Profile(raw, {
    others: readOthers(own, meta.startNs),
    markers: readMarkers(json, strings, meta.startNs),
    context: { command, node, rspack, binding },
    build: readBuild(own),
  });
}

/** A bundle of `compare`: two profiles, of which somebody asked for one. */
class IsBundle extends ProfError {
  /**
   * @param {string} file
   * @param {unknown} json
   */
  constructor(file, json) {
    super(
      'ERR_PROF_BAD_FILE',
      `${file} is a bundle of two profiles: take '${file}#base' or '${file}#candidate'`,
    );
    this.json = json;
  }
}

/**
 * @param {unknown} json
 * @param {string} file for messages
 * @returns {Profile}
 */
function fromJson(json, file) {
  try {
    return fromFirefox(json);
  } catch (error) {
    if (!(error instanceof BadProfile || error instanceof ProfError)) throw error;
    throw bad(file, error.message.replace(/^not a usable profile: /, ''));
  }
}

/**
 * @param {string} file `FILE#base` and `FILE#candidate` are the profiles of a bundle
 * @returns {Profile}
 */
function readFirefox(file) {
  const [, whole, side] = /^(.+)#(base|candidate)$/s.exec(file) ?? [];
  if (whole !== undefined && !fs.existsSync(file)) {
    const profile = readJson(whole)?.profiles?.[side];
    if (!profile) throw bad(file, `${whole} is no bundle with a profile of the ${side}`);
    return fromJson(profile, file);
  }
  const json = readJson(file);
  if (json?.rspackProfBundle !== undefined) throw new IsBundle(file, json);
  return fromJson(json, file);
}

module.exports = { IsBundle, fromJson, readFirefox };
