'use strict';
// The hotspot table for people: a line on the recording, the rows, what would make it better.
// Fits the terminal's width; a pipe gets no colours, whole paths and longer names. Full names are in
// `report --json`.

const { grouped } = require('./grouped.js');
const { bareEvent } = require('./profile/events.js');
const {
  PIPE_COLUMNS,
  columnsOf,
  fit,
  pad,
  percent,
  terminalOf,
  warningLines,
  wrap,
} = require('./terminal.js');

const LEAST_SYMBOL_COLUMNS = 16;
const MOST_EVENT_COLUMNS = 20;
const GAP = '  ';
const NO_SAMPLES = 'no samples: the process used no CPU time while it was recorded';

/**
 * @typedef {object} Row as in `report --json`
 * @property {string} key
 * @property {string} [symbol]
 * @property {string} [object]
 * @property {string | null} [crate]
 * @property {string} [kind]
 * @property {number} samples
 * @property {number} self
 * @property {number} total
 * @property {number} selfShare
 * @property {number} totalShare
 * @property {Record<string, {selfShare: number, totalShare: number}>} [weights] of several events, by their names
 *
 * @typedef {object} TableProfile what is read of a profile
 * @property {Record<string, any>} meta
 * @property {{ samples: number, lost: number, completeShare: number, warnings?: import('./terminal').Warning[] } & Record<string, any>} quality
 * @property {(options: any) => Top} topHotspots
 * @property {{ ns: number, threads: number }} [idleTime] of a recording with waits
 *
 * @typedef {{shown: Row[], rest: {count: number, selfShare: number}, isEmpty: boolean}} Top of
 *   profile/weights.js
 *
 * @typedef {object} RowOptions
 * @property {string} [by] what a row is, 'symbol' unless given
 * @property {number} [limit] rows, 40 unless given
 * @property {number} [percentLimit] rows below this share are summed up, 0.5 unless given
 * @property {boolean} [children] by total instead of self
 * @property {string} [phase]
 * @property {string} [thread]
 * @property {import('./index').StateFilter} [state] of a recording of waits
 * @property {boolean} [idle] idle pools too
 * @property {RegExp} [filter]
 * @property {'apart' | 'together'} [unnamed] places of one object without a symbol: one row unless given
 * @property {boolean} [warnings] false leaves them out
 *
 * @typedef {RowOptions & import('./terminal').TerminalOptions} TableOptions
 */

/**
 * What was recorded, in one sentence.
 * @param {TableProfile} profile
 */
function headline({ meta, quality }) {
  const what = meta.switches ? `${meta.event} and waits` : meta.event;
  const parts = [`${grouped(quality.samples)} samples of ${what}`];
  if (meta.frequency > 0) parts[0] += ` at ${meta.frequency} Hz`;
  if (meta.period > 0) parts[0] += `, one in ${grouped(meta.period)},`;
  const { budget } = meta;
  if (budget && budget.finalFrequency !== meta.frequency) {
    parts[0] += ` (${budget.finalFrequency} Hz at the end)`;
  }
  parts[0] += ` in ${(meta.durationMs / 1000).toFixed(2)} s`;
  if (meta.cpus > 0) parts[0] += ` on ${meta.cpus} CPU${meta.cpus === 1 ? '' : 's'}`;
  // Without a call graph no stack is meant to be whole.
  if (quality.samples > 0 && meta.callGraph !== 'none') {
    parts.push(`${percent(quality.completeShare)}% of the stacks complete`);
  }
  parts.push(`${grouped(quality.lost)} lost`);
  const others = (meta.events ?? []).filter((/** @type {any} */ { event }) => event !== meta.event);
  const named = others.map((/** @type {any} */ { requestedEvent }) => `--event ${requestedEvent}`);
  return parts.join(', ') + (named.length > 0 ? `; also recorded: ${named.join(', ')}` : '');
}

/**
 * @typedef {object} Column
 * @property {string} head
 * @property {boolean} right aligned
 * @property {(row: Row) => string} cell
 * @property {'dim'} [style]
 */

/** @param {Row} row */
const milliseconds = ({ self }) => (self >= 1e8 ? grouped(self / 1e6) : (self / 1e6).toFixed(1));

/** @param {Row} row */
const ownerOf = (row) =>
  row.crate || row.object || (row.symbol === undefined ? '[unknown]' : '[several]');

/**
 * The name without the crate that already stands in the column before.
 * @param {Row} row
 */
function symbolOf(row) {
  const name = row.symbol ?? row.key;
  return row.crate && name.startsWith(`${row.crate}::`) ? name.slice(row.crate.length + 2) : name;
}

/**
 * The values of a row's keys, which its `key` has with commas between. Names of functions have commas
 * of their own, the others hardly: what is left over belongs to the symbol, or to the last key.
 * @param {string} key
 * @param {string[]} names of the keys
 */
function partsOf(key, names) {
  const parts = key.split(',');
  const symbol = names.indexOf('symbol');
  const wide = symbol < 0 ? names.length - 1 : symbol;
  const more = Math.max(0, parts.length - names.length);
  return [
    ...parts.slice(0, wide),
    parts.slice(wide, wide + more + 1).join(','),
    ...parts.slice(wide + more + 1),
  ];
}

/**
 * A column for each event beside the first, as many as leave the names two thirds of the width; the
 * others are in `report --event` and JSON.
 * @param {Row[]} rows
 * @param {number} width
 * @param {'selfShare' | 'totalShare'} share that the table is sorted by
 * @returns {Column[]}
 */
function eventColumns(rows, width, share) {
  const [, ...events] = Object.keys(rows[0]?.weights ?? {});
  const columns = events.map((event) => ({
    head: `${fit(bareEvent(event).toUpperCase(), MOST_EVENT_COLUMNS)}%`,
    right: true,
    cell: (/** @type {Row} */ row) => percent(row.weights?.[event]?.[share] ?? 0),
  }));
  let left = width / 3;
  return columns.filter(({ head }) => (left -= head.length + GAP.length) >= 0);
}

/**
 * @param {string[]} names of the keys
 * @param {number} narrow columns that a key may take beside the symbol
 * @param {boolean} inMs weights are ns that somebody waited
 * @param {Column[]} events
 * @returns {Column[]} all but the last one, which takes what is left of the width
 */
function columnsFor(names, narrow, inMs, events) {
  /** @type {Column[]} */
  const columns = [
    { head: 'SELF%', right: true, cell: (row) => percent(row.selfShare) },
    { head: 'TOTAL%', right: true, cell: (row) => percent(row.totalShare) },
    ...(inMs ? [{ head: 'SELF ms', right: true, cell: milliseconds }] : []),
    ...events,
    { head: 'SAMPLES', right: true, cell: (row) => grouped(row.samples) },
  ];
  if (names.length > 1) {
    const before = names.slice(0, -1).map((name, i) => ({
      head: name.toUpperCase(),
      right: false,
      cell: (/** @type {Row} */ row) =>
        fit(partsOf(row.key, names)[i] ?? '', name === 'symbol' ? narrow * 3 : narrow),
    }));
    return [...columns, ...before];
  }
  if (names[0] !== 'symbol') return columns;
  return [
    ...columns,
    { head: 'KIND', right: false, cell: (row) => row.kind ?? '', style: 'dim' },
    {
      head: 'CRATE/OBJECT',
      right: false,
      cell: (row) => fit(ownerOf(row), narrow),
      style: 'dim',
    },
  ];
}

/**
 * @param {Row[]} rows
 * @param {{ by: string, width: number, paint: import('./terminal').Paint, inMs: boolean, children?: boolean }} options
 * @returns {string[]} lines
 */
function rowLines(rows, { by, width, paint, inMs, children }) {
  const names = by.split(',').map((name) => name.trim());
  // No column may starve the last one: a fifth of a narrow terminal for the owner, or for all keys.
  const most = width === Infinity ? 40 : Math.max(12, Math.min(32, Math.floor(width / 5)));
  const narrow = names.length > 2 ? Math.max(8, Math.floor(most * 0.75)) : most;
  const events = eventColumns(rows, width, children ? 'totalShare' : 'selfShare');
  const columns = columnsFor(names, narrow, inMs, events);
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map(({ head }, i) =>
    Math.max(head.length, ...cells.map((row) => columnsOf(row[i]))),
  );
  const used = widths.reduce((sum, columnWidth) => sum + columnWidth + GAP.length, 0);
  const symbolColumns =
    width === Infinity ? PIPE_COLUMNS : Math.max(LEAST_SYMBOL_COLUMNS, width - used);
  const head = columns.map((column, i) => pad(column.head, widths[i], column.right)).join(GAP);
  const lines = [paint('bold', `${head}${GAP}${names[names.length - 1].toUpperCase()}`)];
  rows.forEach((row, r) => {
    const line = columns.map((column, i) => {
      const text = pad(cells[r][i], widths[i], column.right);
      if (i === 0 && row.selfShare >= 0.05) return paint('red', text);
      return column.style ? paint(column.style, text) : text;
    });
    const last = by === 'symbol' ? symbolOf(row) : (partsOf(row.key, names).at(-1) ?? '');
    line.push(fit(last, symbolColumns, row.kind));
    lines.push(line.join(GAP).trimEnd());
  });
  return lines;
}

/**
 * @param {Top['rest']} rest
 * @param {boolean} children
 */
function restLine({ count, selfShare }, children) {
  if (count === 0) return [];
  // Totals overlap, so only self shares can be added up.
  const self = percent(selfShare);
  return [
    `${grouped(count)} more${children ? ` with ${self}% self together` : `: ${self}% together`}`,
  ];
}

/**
 * @param {TableProfile} profile
 * @param {TableOptions} options
 */
function idleLine({ idleTime }, { idle, state }) {
  if (!idleTime || idle || state === 'running' || !(idleTime.ns > 0)) return [];
  const seconds = (idleTime.ns / 1e9).toFixed(2);
  const { threads } = idleTime;
  return [
    `left out: ${seconds} s that ${threads} thread${threads === 1 ? '' : 's'} of pools waited for work (--idle)`,
  ];
}

/**
 * What a row is unless it is said: all waits end in the scheduler, so the symbol would not tell.
 * @param {TableProfile} profile
 */
const usualKeys = ({ meta }) => (meta.switches ? 'reason,waiter' : 'symbol');

/**
 * @param {TableProfile} profile
 * @param {TableOptions} options
 * @returns {Top}
 */
function selectRows(profile, options) {
  const { by = usualKeys(profile), limit = 40, percentLimit = 0.5, children = false } = options;
  const { phase, thread, state, idle, filter, unnamed = 'together' } = options;
  const sort = children ? 'total' : 'self';
  const asked = { by, phase, thread, state, idle, filter, unnamed, limit, percentLimit, sort };
  return profile.topHotspots(asked);
}

/**
 * @param {TableProfile} profile
 * @param {TableOptions} [options]
 * @returns {string} ends in a newline
 */
function renderHotspots(profile, options = {}) {
  return renderRows(profile, selectRows(profile, options), options);
}

/**
 * The same for rows that are known already: they are most of the work, and may be shown twice.
 * @param {TableProfile} profile
 * @param {ReturnType<typeof selectRows>} rows
 * @param {TableOptions} options
 * @returns {string} ends in a newline
 */
function renderRows(profile, { shown, rest, isEmpty }, options) {
  const terminal = terminalOf(options);
  const lines = [...wrap(headline(profile), Math.min(terminal.width, 120)), ''];
  if (profile.quality.samples === 0) {
    lines.push(NO_SAMPLES);
  } else if (isEmpty) {
    lines.push('no sample matches');
  } else {
    const inMs = profile.meta.switches !== undefined;
    const { by = usualKeys(profile), children } = options;
    lines.push(...rowLines(shown, { by, inMs, children, ...terminal }));
    lines.push(...restLine(rest, options.children === true));
    lines.push(...idleLine(profile, options));
  }
  const warnings = options.warnings === false ? [] : (profile.quality.warnings ?? []);
  if (warnings.length > 0) lines.push('', ...warningLines(warnings, terminal));
  return `${lines.join('\n')}\n`;
}

module.exports = {
  NO_SAMPLES,
  headline,
  renderHotspots,
  renderRows,
  selectRows,
  usualKeys,
};
