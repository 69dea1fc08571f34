'use strict';
// A profile: the raw columns, the markers of its time, and every question that can be asked of
// them. It is read-only; whatever is worked out once (phases, walks, names) is kept.

const { ProfError } = require('../errors.js');
const { NO_NOTES } = require('./build.js');
const { problemWithColumns } = require('./columns.js');
const { assignPhases } = require('./phases.js');
const { poolsOf } = require('./pools.js');
const { namesByObject } = require('./names.js');
const { addWarnings, buildQuality } = require('./quality.js');
const { Scratch } = require('./scratch.js');
const { depthFirst, mergeByName } = require('./tree.js');

/** @typedef {import('./raw').RawProfile} RawProfile */
/** @typedef {import('./raw').Marker} Marker */
/** @typedef {import('./events').OtherEvent} OtherEvent */
/** @typedef {{command: string, node: string, rspack: string | null, binding: string | null}} Context */

class Profile {
  /** @type {ReturnType<typeof assignPhases> | undefined} */
  #phases;
  /** @type {string[] | undefined} */
  #pools;
  /** @type {{names: string[], ofNode: Uint8Array} | undefined} */
  #categories;
  /** @type {ReturnType<typeof import('./loaders').loadersOf> | undefined} */
  #loaders;
  /** @type {import('./owners').Owned | undefined} */
  #plugins;
  /** @type {ReturnType<typeof import('./waits').waitsOf> | undefined} */
  #waits;
  /** @type {Profile | undefined} */
  #onCpu;
  /** @type {Map<string, Profile>} */
  #byEvent = new Map();
  /** @type {ReturnType<typeof depthFirst> | undefined} */
  #depthFirst;
  /** @type {import('./names').Names | undefined} */
  #namesByObject;
  /** @type {Map<import('./names').Names, ReturnType<typeof mergeByName>>} */
  #merged = new Map();
  /** For questions about all nodes or samples. */
  scratch = new Scratch();

  /**
   * @param {RawProfile} raw
   * @param {{markers?: Marker[], context: Context, build?: import('../index').BuildNotes,
   *    others?: readonly OtherEvent[], good?: RawProfile}} more others: events that were recorded beside this
   *    one; good: of a profile that this is a part of
   */
  constructor(raw, { markers = [], context, build = NO_NOTES, others = [], good }) {
    const problem = problemWithColumns(raw, good);
    if (problem !== '')
      throw new ProfError('ERR_PROF_BAD_FILE', `not a usable profile: ${problem}`);
    const { meta } = raw;
    /** The columns of docs/raw-profile.md. */
    this.raw = raw;
    this.markers = markers;
    this.others = others;
    this.context = context;
    /** What the build said of its plugins and loaders; empty where nothing was noted. */
    this.build = build;
    /** @type {import('../index').ProfileMeta} */
    this.meta = {
      ...context,
      event: meta.event,
      requestedEvent: meta.requestedEvent,
      unit: meta.unit,
      frequency: meta.frequency,
      callGraph: meta.callGraph,
      durationMs: (meta.endNs - meta.startNs) / 1e6,
      startUnixMs: meta.startUnixMs,
      startNs: meta.startNs,
      endNs: meta.endNs,
      cpus: meta.cpus,
      pid: meta.pid,
      kernel: meta.kernel,
      ...(meta.arch && { arch: meta.arch }),
      hasKernel: meta.hasKernel,
      hasPmu: meta.hasPmu,
      ...(meta.switches && { switches: meta.switches, view: meta.view }),
      ...(meta.budget && { budget: meta.budget }),
      ...(meta.period && { period: meta.period }),
      ...(meta.events && meta.events.length > 1 && { events: meta.events }),
    };
    this.quality = buildQuality(raw);
    this.totalWeight = raw.samples.weight.reduce((sum, weight) => sum + weight, 0);
    this.threadNames = Array.from(raw.threads.name, (name) => raw.strings[name]);
    /** @type {import('./names').Names} */
    this.names = { id: raw.funcs.name, text: raw.strings };
    // V8's builtins are part of the node executable, whatever that is called here.
    const isNode = (/** @type {number} */ name) => /^node(js)?[\d.]*$/.test(raw.strings[name]);
    const node = raw.modules.name.find(isNode);
    this.nodeObject = node === undefined ? 'node' : raw.strings[node];
    this.threadKeys = this.threadNames.map((name, index) => `${name}/${raw.threads.tid[index]}`);
  }

  /**
   * The same recording by another of its events.
   * @param {string} name
   * @returns {Profile}
   */
  event(name) {
    const raw = require('./events.js').rawOfEvent(this.raw, this.others, name);
    if (!raw) return this;
    const known = this.#byEvent.get(raw.meta.event);
    if (known) return known;
    const { markers, context, build } = this;
    const profile = new Profile(raw, { markers, context, build, good: this.raw });
    addWarnings(profile.quality, this.quality.warnings);
    this.#byEvent.set(raw.meta.event, profile);
    return profile;
  }

  /** The phase of each sample. */
  get phaseColumn() {
    return (this.#phases ??= assignPhases(this.raw.samples.timeNs, this.markers));
  }

  /** The pool of each thread. */
  get threadPools() {
    return (this.#pools ??= poolsOf(this));
  }

  /** The kind of work of each node. */
  get categories() {
    return (this.#categories ??= require('./categories.js').categoriesOf(this));
  }

  /** The loader that each node works for. */
  get loaders() {
    return (this.#loaders ??= require('./loaders.js').loadersOf(this));
  }

  /** The plugin that each node works for. */
  get plugins() {
    return (this.#plugins ??= require('./plugins.js').pluginsOf(this));
  }

  /** What each sample's time was spent on, null where only running threads were recorded. */
  get waits() {
    return (this.#waits ??= require('./waits.js').waitsOf(this));
  }

  /** The waits that tables leave out: of pools that have nothing to do. */
  get idleTime() {
    return require('./view.js').idleTime(this);
  }

  /** The same without the waits: what is counted as CPU time is counted in it. @returns {Profile} */
  get onCpu() {
    if (!this.waits) return this;
    return (this.#onCpu ??= require('./subset.js').running(this));
  }

  /** The tree's depth-first order. */
  get depthFirst() {
    return (this.#depthFirst ??= depthFirst(this.raw.nodes.parent));
  }

  /** The functions' names, unnamed places of one object under one name. */
  get namesByObject() {
    return (this.#namesByObject ??= namesByObject(this));
  }

  /**
   * The tree with siblings of one name made one.
   * @param {import('./names').Names} names this profile's `names` or `namesByObject`
   */
  mergedBy(names) {
    const { parent, func } = this.raw.nodes;
    let merged = this.#merged.get(names);
    if (!merged) {
      merged = this.scratch.lend((take) => mergeByName(parent, func, names.id, undefined, take));
      this.#merged.set(names, merged);
    }
    return merged;
  }

  /** What each phase of the build cost. */
  phases() {
    return require('./phase-rows.js').phaseRows(this);
  }

  /** What goes to and fro between JavaScript and Rust, and what that costs. */
  border() {
    return require('./border.js').borderOf(this.onCpu);
  }

  /**
   * What each of rspack's own spans cost; none without a trace.
   * @param {{limit?: number}} [options]
   */
  spans(options) {
    return require('./spans.js').spans(this.onCpu, options);
  }

  /**
   * The same profile with the spans of a trace that rspack wrote meanwhile.
   * @param {string} file
   * @returns {Profile}
   */
  withTrace(file) {
    return require('../trace/import.js').withTrace(this, file);
  }

  /** @param {{least?: number, limit?: number}} [options] */
  hints(options) {
    return require('../hints/index.js').hints(this.onCpu, options);
  }

  /** The builds that ended in this recording: a watch has many. */
  rebuilds() {
    return require('./rebuilds.js').rebuilds(this.markers, this.meta.startNs);
  }

  /**
   * @param {import('../index').RebuildChoice} which
   * @param {{compiler?: string}} [options]
   * @returns {Profile}
   */
  rebuild(which, options) {
    return require('./rebuilds.js').rebuild(this, which, options);
  }

  /** Curves of memory and who allocates in JavaScript, null where it was not recorded. */
  get memory() {
    return require('../memory/memory.js').memoryOf(this.raw);
  }

  /**
   * Of several events each row has every event's weights, unless one is asked for.
   * @param {import('../index').HotspotOptions} [options]
   */
  hotspots({ event, ...options } = {}) {
    if (event === undefined && this.others.length > 0)
      return require('./weights.js').hotspotsOfAll(this, options);
    const profile = event === undefined ? this : this.event(event);
    return require('./hotspots.js').hotspots(profile, options);
  }

  /**
   * The rows that a table shows, and what it leaves out.
   * @param {import('../index').HotspotOptions} options
   * @returns {import('../index').TopHotspots}
   */
  topHotspots({ event, ...options }) {
    if (event === undefined && this.others.length > 0)
      return require('./weights.js').topOfAll(this, options);
    const profile = event === undefined ? this : this.event(event);
    return require('./hotspots.js').topHotspots(profile, options);
  }

  /**
   * @param {RegExp | string} symbol
   * @param {import('../index').SampleFilter & {total?: boolean}} [options]
   */
  share(symbol, options) {
    return require('./hotspots.js').share(this, symbol, options);
  }

  /** @param {import('../index').FoldedOptions} [options] */
  folded(options) {
    return require('../export/folded.js').folded(this, options);
  }

  /** @param {import('../index').CallTreeOptions} [options] */
  callTree(options) {
    return require('./call-tree.js').callTree(this, options);
  }

  /**
   * @param {string} file
   * @param {import('../index').ExportOptions} [options]
   */
  write(file, options) {
    return require('../export/index.js').writeProfile(this, file, options);
  }

  /**
   * @param {import('../index').HotspotOptions} [options]
   * @returns {import('../index').ReportJson}
   */
  report(options) {
    const { meta, quality } = this;
    const { command, node, rspack, binding, event, frequency, durationMs, cpus, kernel } = meta;
    const { budget } = meta;
    const { samples, lost, throttled, complete, truncated, joined, broken } = quality;
    const { unnamedLeaf, completeShare, byObject, cost, warnings } = quality;
    const { cpuMs, peakBytes, finishMs } = cost;
    return {
      schema: 1,
      meta: {
        ...{ command, node, rspack, binding, event, frequency, durationMs, cpus, kernel },
        ...(meta.events && { events: meta.events }),
      },
      quality: {
        ...{ samples, lost, throttled, complete, truncated, joined, broken },
        ...{ unnamedLeaf, completeShare, byObject },
        ...(budget && { budget }),
        cost: { cpuMs, peakBytes, finishMs },
        warnings,
      },
      rows: this.hotspots(options),
      hints: this.hints(),
    };
  }

  toJSON() {
    return this.report();
  }
}

module.exports = { Profile };
