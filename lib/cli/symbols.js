'use strict';
// rspack-prof symbols: what a pattern of `trace` matches, how many probes that takes and what a call of
// each would cost.

const { numberOf, regexOf } = require('./args.js');
const { writeJson } = require('./files.js');
const { PIPE_COLUMNS, fit, pad, terminalOf, warningLines } = require('../terminal.js');
const { grouped } = require('../grouped.js');
const { time } = require('../calls/table.js');

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'symbols',
  summary: 'the functions that trace can follow, and what a call of each costs',
  usage: '[--filter REGEX] [OBJECT...]',
  positionals: [0, Infinity],
  options: {
    filter: { type: 'string', value: 'REGEX', help: 'only names that match' },
    limit: { type: 'string', value: 'N', help: 'rows of the table (40)' },
    json: { type: 'boolean', help: 'all of them as JSON' },
  },
  notes: [
    'OBJECT is a program, a library or a .node file; without one: the rspack binding that a build here ' +
      'would load, node, and the C library.',
  ],
};

/**
 * @typedef {object} SymbolRow
 * @property {string} symbol
 * @property {string} object
 * @property {number} bytes
 * @property {number} probes
 * @property {number} stepped of them, those that the kernel has to step through
 * @property {boolean} callsOnly
 * @property {number | null} callNs what tracing adds to one call; null: not measured here
 */

/**
 * A call hits its entry and one of its ends.
 * @param {import('../calls/native').NativeSites} sites
 * @param {number} i
 * @param {{ emulatedNs: number, steppedNs: number } | null} cost
 */
function callCost(sites, i, cost) {
  if (!cost) return null;
  const entry = sites.entryEmulated[i] ? cost.emulatedNs : cost.steppedNs;
  const stepped = sites.stepped[i] - (sites.entryEmulated[i] ? 0 : 1);
  const ends = sites.emulated[i] + sites.stepped[i] - 1;
  if (sites.callsOnly[i] || ends <= 0) return Math.round(entry);
  const end = (stepped * cost.steppedNs + (ends - stepped) * cost.emulatedNs) / ends;
  return Math.round(entry + end);
}

/**
 * @param {import('../calls/native').NativeCalls} native
 * @param {import('../calls/select').Selected[]} selected
 * @param {{ emulatedNs: number, steppedNs: number } | null} cost
 * @returns {SymbolRow[]}
 */
function rowsOf(native, selected, cost) {
  return selected.flatMap(({ path, rows, names, sizes }) => {
    const sites = native.callsSites(path, rows);
    return names.map((symbol, i) => ({
      symbol,
      object: path,
      bytes: sizes[i],
      probes: sites.emulated[i] + sites.stepped[i],
      stepped: sites.stepped[i],
      callsOnly: sites.callsOnly[i] === 1,
      callNs: callCost(sites, i, cost),
    }));
  });
}

/** @param {import('../calls/native').NativeCalls} native */
function measureCost(native) {
  try {
    return { cost: native.callsCost(), why: null };
  } catch (error) {
    return { cost: null, why: /** @type {Error} */ (error).message };
  }
}

/**
 * @param {SymbolRow[]} rows
 * @param {number} limit
 * @param {{ width: number }} terminal
 */
function tableLines(rows, limit, { width }) {
  const shown = rows.slice(0, limit);
  const lines = ['PROBES  PER CALL    BYTES  SYMBOL'];
  for (const { symbol, probes, callNs, bytes, callsOnly } of shown) {
    const head = [
      pad(grouped(probes), 6, true),
      pad(time(callNs), 8, true),
      pad(grouped(bytes), 7, true),
    ].join('  ');
    const note = callsOnly ? ' (its ends cannot be seen)' : '';
    const room =
      width === Infinity ? PIPE_COLUMNS : Math.max(16, width - head.length - 2 - note.length);
    lines.push(`${head}  ${fit(symbol, room)}${note}`);
  }
  if (rows.length > shown.length) {
    lines.push(`${grouped(rows.length - shown.length)} more (--limit, --json)`);
  }
  return lines;
}

/** @type {import('./main.js').Command['run']} */
function run(parsed, world) {
  const { namedObjects, usualObjects } = require('../calls/objects.js');
  const { selectFunctions } = require('../calls/select.js');
  const native = /** @type {any} */ (world.loadNative());
  const place = { cwd: world.cwd, env: world.env };
  const limit = numberOf(parsed, 'limit', { least: 1, whole: true }) ?? 40;
  const pattern = regexOf(parsed, 'filter');
  const objects =
    parsed.positionals.length > 0
      ? namedObjects(parsed.positionals, place)
      : usualObjects(place, []);
  const { selected, unreadable } = selectFunctions(native, objects, { pattern });
  const { cost, why } = measureCost(native);
  const rows = rowsOf(native, selected, cost);
  if (parsed.values.json) {
    writeJson({ schema: 1, cost, functions: rows, warnings: unreadable }, world);
    return 0;
  }
  const terminal = terminalOf({ stream: world.stdout });
  const probes = rows.reduce((sum, row) => sum + row.probes, 0);
  const lines = [
    `${grouped(rows.length)} functions in ${selected.length} of ${objects.length} files, ${grouped(probes)} probes`,
    cost
      ? `a hit costs ${time(cost.emulatedNs)} where the kernel emulates the instruction, ${time(cost.steppedNs)} elsewhere`
      : `what a hit costs is not measured: ${why}`,
    '',
  ];
  if (rows.length > 0) lines.push(...tableLines(rows, limit, terminal));
  else lines.push('no function matches');
  const warnings = unreadable.map((message) => ({ code: 'no-symbols', message, fix: '' }));
  if (warnings.length > 0) lines.push('', ...warningLines(warnings, terminal));
  world.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

module.exports = { run, spec };
