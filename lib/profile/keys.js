'use strict';
// What a table can be sorted by. Some keys belong to a function (symbol, crate), some to a sample
// (thread, phase); a comma joins any of them.

const { ProfError, nearMatches } = require('../errors.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {import('../index').Kind} Kind */

/**
 * By funcs.kind. 5 stands in files from before code without a symbol counted as native.
 * @type {readonly Kind[]}
 */
const KINDS = ['rust', 'js', 'native', 'v8', 'kernel', 'native'];

/** By samples.state. */
const STATES = ['running', 'blocked', 'preempted'];

/** Builtins and bytecode handlers: compiled with node, embedded in its executable. */
const BUILTIN_TIERS = [5, 6];

/**
 * The file a function came from: perf's "object".
 * @param {Profile} profile
 * @param {number} func
 */
function objectOf({ raw, nodeObject }, func) {
  const module = raw.funcs.module[func];
  if (module >= 0) return raw.strings[raw.modules.name[module]] || '[unknown]';
  const kind = KINDS[raw.funcs.kind[func]];
  if (kind === 'v8' && BUILTIN_TIERS.includes(raw.funcs.tier[func])) return nodeObject;
  if (kind === 'js' || kind === 'v8') return '[jit]';
  return kind === 'kernel' ? '[kernel]' : '[unknown]';
}

/**
 * @param {Profile} profile
 * @param {number} func
 */
function crateOf({ raw }, func) {
  const crate = raw.funcs.crate[func];
  return crate >= 0 ? raw.strings[crate] : `[${KINDS[raw.funcs.kind[func]]}]`;
}

/**
 * The file of a JavaScript function.
 * @param {Profile} profile
 * @param {number} func
 */
function fileOf({ raw }, func) {
  const kind = KINDS[raw.funcs.kind[func]];
  if (kind !== 'js') return `[${kind}]`;
  return (raw.funcs.file[func] >= 0 && raw.strings[raw.funcs.file[func]]) || '[no file]';
}

/**
 * The npm package of a file, by the last node_modules in its path; '' where it is in none.
 * @param {string} file
 */
function packageOfFile(file) {
  const found = /^.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file);
  return found ? found[1].replace('\\', '/') : '';
}

/**
 * The npm package of a JavaScript function.
 * @param {Profile} profile
 * @param {number} func
 */
function packageOf({ raw }, func) {
  const kind = KINDS[raw.funcs.kind[func]];
  if (kind !== 'js') return `[${kind}]`;
  const file = raw.funcs.file[func] >= 0 ? raw.strings[raw.funcs.file[func]] : '';
  if (file.startsWith('node:')) return '[node]';
  return packageOfFile(file) || '[app]';
}

/** @type {Record<string, (profile: Profile, func: number) => string>} */
const FUNC_KEYS = {
  symbol: ({ raw }, func) => raw.strings[raw.funcs.name[func]],
  crate: crateOf,
  object: objectOf,
  kind: ({ raw }, func) => KINDS[raw.funcs.kind[func]],
  package: packageOf,
  file: fileOf,
};

/**
 * @param {Profile} profile
 * @param {number} sample
 */
const phaseOf = ({ phaseColumn }, sample) => phaseColumn.phases[phaseColumn.phaseOfSample[sample]];

/** @type {Record<string, (profile: Profile, sample: number) => string>} */
const SAMPLE_KEYS = {
  comm: (profile, sample) => profile.threadNames[profile.raw.samples.thread[sample]],
  thread: (profile, sample) => profile.threadKeys[profile.raw.samples.thread[sample]],
  pool: (profile, sample) => profile.threadPools[profile.raw.samples.thread[sample]],
  state: ({ raw }, sample) => STATES[raw.samples.state?.[sample] ?? 0],
  reason: ({ waits }, sample) => (waits ? waits.names[waits.ofSample[sample]] : STATES[0]),
  waiter: ({ raw, waits, names }, sample) => {
    const func = waits ? waits.waiters[sample] : raw.nodes.func[raw.samples.node[sample]];
    return func < 0 ? '[no stack]' : names.text[names.id[func]];
  },
  phase: (profile, sample) => phaseOf(profile, sample).name,
  compiler: (profile, sample) => phaseOf(profile, sample).compiler || '(no compiler)',
  build: (profile, sample) => {
    const { build } = phaseOf(profile, sample);
    return build > 0 ? String(build) : '(no build)';
  },
};

/**
 * What depends on a frame's callers too.
 * @type {Record<string, (profile: Profile) => (node: number) => string>}
 */
const NODE_KEYS = {
  category: ({ categories: { names, ofNode } }) => {
    return (node) => names[ofNode[node]];
  },
  loader: ({ loaders: { names, ofNode } }) => {
    return (node) => names[ofNode[node]];
  },
  plugin: ({ plugins: { names, ofNode } }) => {
    return (node) => names[ofNode[node]];
  },
};

const KEY_NAMES = [FUNC_KEYS, SAMPLE_KEYS, NODE_KEYS].flatMap((keys) => Object.keys(keys));

/**
 * @param {unknown} by
 * @returns {string[]}
 */
function parseKeys(by) {
  if (typeof by !== 'string') {
    throw new ProfError('ERR_PROF_BAD_OPTION', `'by' must be a string such as 'symbol'`);
  }
  const names = by.split(',').map((name) => name.trim());
  for (const name of names) {
    if (KEY_NAMES.includes(name)) continue;
    const near = nearMatches(name, KEY_NAMES);
    const hint =
      near.length > 0 ? `did you mean '${near[0]}'?` : `it takes ${KEY_NAMES.join(', ')}`;
    throw new ProfError('ERR_PROF_BAD_OPTION', `cannot sort by '${name}': ${hint}`);
  }
  return [...new Set(names)];
}

/**
 * @param {number} count rows to group
 * @param {((row: number) => string)[]} keys
 * @returns {{groupOf: Int32Array | null, labels: string[][]}} groupOf: null without keys, where all are of one group
 */
function groupBy(count, keys) {
  if (keys.length === 0) return { groupOf: null, labels: count > 0 ? [[]] : [] };
  const groupOf = new Int32Array(count);
  /** @type {string[][]} */
  const labels = [];
  /** @type {Map<string, number>} */
  const known = new Map();
  const [first, ...others] = keys;
  for (let row = 0; row < count; row++) {
    const joined = others.length === 0 ? first(row) : keys.map((key) => key(row)).join('\0');
    let group = known.get(joined);
    if (group === undefined) {
      group = labels.push(keys.map((key) => key(row))) - 1;
      known.set(joined, group);
    }
    groupOf[row] = group;
  }
  return { groupOf, labels };
}

module.exports = {
  KINDS,
  STATES,
  KEY_NAMES,
  FUNC_KEYS,
  NODE_KEYS,
  SAMPLE_KEYS,
  parseKeys,
  groupBy,
  objectOf,
  crateOf,
  packageOf,
  packageOfFile,
};
