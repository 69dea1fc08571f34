'use strict';
// The border between JavaScript and Rust for people: plugins by hook, loaders, conversions, callers.

const { grouped } = require('./grouped.js');
const { lay } = require('./lay.js');
const { fit, percent, printable, terminalOf } = require('./terminal.js');
const { shorten } = require('./shorten.js');

/** @typedef {import('./index').Border} Border */
/** @typedef {[head: string, cells: string[], right?: boolean]} Column */

const MOST_ROWS = 20;
const MOST_HOOKS = 3;
/** Of a function's name beside another one. */
const NAME_WIDTH = 72;
/** Of the figures before two names, with the gaps. */
const NUMBERS_WIDTH = 34;

/** @param {number | null} count */
const number = (count) => (count === null ? '-' : grouped(count));

/** What is on the stack where Rust's call waited in node's queue: it is known by what it hands over. */
const QUEUED = /^napi::threadsafe_function::call_js_cb::<(?:[\w:]*::)?(\w+)/;

/** @param {string} name @param {number} [room] */
function shortName(name, room = NAME_WIDTH) {
  const queued = QUEUED.exec(name);
  if (queued) return `call_js_cb::<${queued[1]}>`;
  const isScript = /:\d+:\d+$/.test(name);
  return shorten(printable(name), room, isScript ? 'js' : 'rust');
}

/**
 * @param {string} title
 * @param {Column[]} columns
 * @param {ReturnType<typeof terminalOf>} terminal
 */
function tableOf(title, columns, { width, paint }) {
  const { head, lines } = lay(
    columns.map(([text, cells, right]) => ({ head: text, cells, right })),
    width,
  );
  return `${title}\n${lines.length === 0 ? 'none' : [paint('bold', head), ...lines].join('\n')}\n`;
}

/**
 * @template T
 * @param {T[]} rows
 * @param {(row: T) => string} cell
 * @returns {string[]}
 */
const cells = (rows, cell) => rows.map(cell);

/** @param {string[]} hooks */
function hookNames(hooks) {
  const more = hooks.length - MOST_HOOKS;
  const shown = hooks.slice(0, MOST_HOOKS).join(', ');
  return printable(more > 0 ? `${shown} and ${more} more` : shown);
}

/**
 * @template {{share: number}} T
 * @param {T[]} rows
 * @returns {Column[]}
 */
const costColumns = (rows) => [['TOTAL%', cells(rows, ({ share }) => percent(share)), true]];

/**
 * @param {{ border(): Border, totalWeight: number, onCpu?: { totalWeight: number } }} profile
 * @param {import('./terminal').TerminalOptions} [options]
 * @returns {string}
 */
function renderBorder(profile, options = {}) {
  const terminal = terminalOf(options);
  const { width } = terminal;
  /** Each of two text columns beside some numbers. */
  const half = Math.min(NAME_WIDTH, Math.max(16, Math.floor((width - NUMBERS_WIDTH) / 2)));
  const border = profile.border();
  const whole = (profile.onCpu ?? profile).totalWeight;
  const sideOf = (/** @type {number} */ weight) => percent(whole > 0 ? weight / whole : 0);
  const hooks = border.hooks.slice(0, MOST_ROWS);
  const loaders = border.loaders.slice(0, MOST_ROWS);
  const conversions = border.conversion.rows.slice(0, MOST_ROWS);
  /** @param {import('./index').BorderCaller[]} rows @returns {Column[]} */
  const callers = (rows) => [
    ...costColumns(rows),
    ['SAMPLES', cells(rows, ({ samples }) => number(samples)), true],
    ['CALLER', cells(rows, ({ caller }) => shortName(caller, half))],
    ['CALLS', cells(rows, ({ callee }) => shortName(callee, half))],
  ];
  const parts = [
    tableOf(
      'Plugins: calls of their functions, and the time on either side',
      [
        ...costColumns(hooks),
        ['JS%', cells(hooks, ({ js }) => sideOf(js)), true],
        ['RUST%', cells(hooks, ({ rust }) => sideOf(rust)), true],
        ['CALLS', cells(hooks, ({ calls }) => number(calls)), true],
        ['PLUGIN', cells(hooks, ({ plugin }) => fit(plugin, half))],
        ['HOOK', cells(hooks, (row) => fit(hookNames(row.hooks), half))],
      ],
      terminal,
    ),
    tableOf(
      'Loaders: runs, and how often Rust handed them a module',
      [
        ...costColumns(loaders),
        ['JS%', cells(loaders, ({ js }) => sideOf(js)), true],
        ['RUST%', cells(loaders, ({ rust }) => sideOf(rust)), true],
        ['RUNS', cells(loaders, ({ runs }) => number(runs)), true],
        ['ENTRIES', cells(loaders, ({ entries }) => number(entries)), true],
        ['BY FILE', cells(loaders, ({ toldByFile }) => number(toldByFile)), true],
        ['LOADER', cells(loaders, ({ loader }) => printable(loader))],
      ],
      terminal,
    ),
    tableOf(
      `Conversion and calls across (Node-API): ${percent(border.conversion.share)} %`,
      [
        ...costColumns(conversions),
        ['SAMPLES', cells(conversions, ({ samples }) => number(samples)), true],
        ['FUNCTION', cells(conversions, ({ name }) => shortName(name))],
      ],
      terminal,
    ),
    tableOf('Rust calls JavaScript', callers(border.rustToJs), terminal),
    tableOf('JavaScript calls Rust', callers(border.jsToRust), terminal),
  ];
  const note = border.counted
    ? ''
    : 'no calls were counted: the build was not followed (see the warnings)\n\n';
  const left = border.hooks.length - hooks.length + border.loaders.length - loaders.length;
  const rest = left > 0 ? `\n${left} more rows: --json has them all\n` : '';
  return note + parts.join('\n') + rest;
}

module.exports = { renderBorder };
