'use strict';
// prof.trace(): the calls of some functions in this very process. Types: index.d.ts.

const path = require('node:path');
const { isMainThread } = require('node:worker_threads');
const { ProfError } = require('../errors.js');
const { checkFilter } = require('../trace/filter.js');
const { Beside } = require('./beside.js');

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} least
 * @param {number} most
 */
function number(value, name, least, most) {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw new ProfError(
    'ERR_PROF_BAD_OPTION',
    `trace({ ${name} }) takes a number from ${least} to ${most}, not ${String(value)}`,
  );
}

/** @param {unknown} value @param {string} name */
function boolean(value, name) {
  if (value === undefined || typeof value === 'boolean') return value;
  throw new ProfError('ERR_PROF_BAD_OPTION', `trace({ ${name} }) is true or false`);
}

const KNOWN = [
  'functions',
  'list',
  'objects',
  'depth',
  'limit',
  'budget',
  'frequency',
  'output',
  'method',
  'flows',
  'stacks',
  'spans',
  'trace',
];

/** @param {Record<string, any>} options */
function checked(options) {
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `trace() has no option '${unknown}': it takes ${KNOWN.join(', ')}`,
    );
  }
  const { functions, list, objects, output } = options;
  let pattern = functions;
  if (typeof functions === 'string') {
    try {
      pattern = new RegExp(functions);
    } catch (error) {
      const message = `trace({ functions: '${functions}' }) is no regular expression`;
      throw new ProfError('ERR_PROF_BAD_OPTION', message, { cause: error });
    }
  }
  if (pattern !== undefined && !(pattern instanceof RegExp)) {
    throw new ProfError('ERR_PROF_BAD_OPTION', 'trace({ functions }) takes a regular expression');
  }
  if (
    objects !== undefined &&
    !(Array.isArray(objects) && objects.every((file) => typeof file === 'string'))
  ) {
    throw new ProfError('ERR_PROF_BAD_OPTION', 'trace({ objects }) takes paths of files');
  }
  if (![undefined, 'auto', 'probes', 'xray'].includes(options.method)) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `trace({ method }) is 'auto', 'probes' or 'xray', not ${String(options.method)}`,
    );
  }
  return {
    // Without the flags that make a pattern remember where it was.
    functions: pattern && new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')),
    list,
    objects,
    method: options.method,
    flows: boolean(options.flows, 'flows') ?? false,
    stacks: number(options.stacks, 'stacks', 1, Number.MAX_SAFE_INTEGER),
    spans: boolean(options.spans, 'spans') ?? output !== undefined,
    filter: options.trace === undefined ? null : checkFilter(options.trace),
    depth: number(options.depth, 'depth', 1, 65536),
    limit: number(options.limit, 'limit', 1, Number.MAX_SAFE_INTEGER),
    budget: number(options.budget, 'budget', 0.01, 100_000),
    sampleHz: number(options.frequency, 'frequency', 0, 1000),
    folder: typeof output === 'string' ? path.resolve(output) : undefined,
  };
}

/**
 * @param {Record<string, any>} [options]
 * @returns {any} as index.d.ts has it
 */
function trace(options = {}) {
  const wanted = checked(options);
  if (!isMainThread) {
    throw new ProfError('ERR_PROF_BAD_OPTION', 'trace() is for the main thread: call it there');
  }
  const { Trace, planTrace } = require('./tracer.js');
  const { abandonFolder, makeFolder, writeSummary } = require('./store.js');
  const native = /** @type {import('./native').NativeCalls} */ (
    /** @type {unknown} */ (require('../native.js').loadNative())
  );
  const plan = planTrace(wanted, { native, env: process.env, cwd: process.cwd() }, null);
  const folder = wanted.folder ?? null;
  if (folder) makeFolder(folder);
  const own = new Trace(plan.native, { native, folder }, null);
  /** @type {Beside} */
  let beside;
  try {
    const { entriesEvent = 0 } = own.start();
    beside = new Beside(wanted, entriesEvent, folder);
  } catch (error) {
    own.abandon();
    if (folder) abandonFolder(folder);
    throw error;
  }
  /** @type {import('./summary').Summary | null} */
  let summary = null;
  const stop = () => {
    const found = own.stop();
    beside.stop(found);
    if (folder) writeSummary(folder, found);
    return (summary = found);
  };
  return {
    functionCount: plan.count,
    stop,
    /** @param {string} file @param {{ format: 'parquet' | 'perfetto' }} how */
    write(file, { format }) {
      if (!summary || !folder) {
        const why = summary ? 'trace({ output: FOLDER }) keeps the events' : 'stop it first';
        throw new ProfError('ERR_PROF_NOT_RUNNING', `no events of this trace are there: ${why}`);
      }
      return require('./export.js').exportTrace(folder, summary, format, path.resolve(file));
    },
    [Symbol.dispose ?? Symbol.for('nodejs.dispose')]() {
      if (!summary) stop();
    },
  };
}

module.exports = { trace };
