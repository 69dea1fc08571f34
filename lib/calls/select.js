'use strict';
// Which functions a pattern and a list mean, file by file.

const fs = require('node:fs');
const { ProfError, nearMatches } = require('../errors.js');
const { grouped } = require('../grouped.js');
const { ROLE, roleOf } = require('./flows.js');

/**
 * @typedef {object} Selected of one file
 * @property {string} path
 * @property {Uint32Array} rows for the addon
 * @property {string[]} names
 * @property {number[]} sizes in bytes
 * @property {Uint8Array} [roles] of the rows, where flows are followed: flows.js
 */

/** So many that a mistake is likely; all of node's would be 77,000. */
const MOST_FUNCTIONS = 20_000;

/**
 * Lines of names, `#` for remarks: a function is meant by its whole name as `symbols` shows it.
 * @param {string} file
 * @returns {Set<string>}
 */
function readList(file) {
  let text;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    throw new ProfError('ERR_PROF_BAD_FILE', `cannot read ${file} (${code})`, { cause: error });
  }
  const lines = text.split('\n').map((line) => line.trim());
  return new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
}

/**
 * @param {import('./native').NativeCalls} native
 * @param {string[]} objects
 * @param {{ pattern?: RegExp, list?: Set<string>, flows?: boolean }} wanted neither: all; flows: what
 *   hands jobs over and runs them too, in the files where some other function is wanted
 * @returns {{ selected: Selected[], unreadable: string[], missing: string[] }} unreadable: what was
 *   said of files without symbols; missing: names of the list that no file has
 */
function selectFunctions(native, objects, { pattern, list, flows = false }) {
  /** @type {Selected[]} */
  const selected = [];
  /** @type {string[]} */
  const unreadable = [];
  const missing = new Set(list);
  const all = !pattern && !list;
  for (const path of objects) {
    let symbols;
    try {
      symbols = native.callsSymbols(path);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_PROF_BAD_FILE') throw error;
      unreadable.push(/** @type {Error} */ (error).message);
      continue;
    }
    /** @type {number[]} */
    const at = [];
    symbols.name.forEach((name, index) => {
      if (!all && !pattern?.test(name) && !list?.has(name)) return;
      missing.delete(name);
      at.push(index);
    });
    if (at.length === 0) continue;
    const own = new Set(at);
    if (flows) {
      symbols.name.forEach((name, index) => {
        if (!own.has(index) && roleOf(name) !== ROLE.NONE) at.push(index);
      });
    }
    selected.push({
      ...(flows && { roles: Uint8Array.from(at, (index) => roleOf(symbols.name[index])) }),
      path,
      rows: Uint32Array.from(at, (index) => symbols.row[index]),
      names: at.map((index) => symbols.name[index]),
      sizes: at.map((index) => symbols.size[index]),
    });
  }
  return { selected, unreadable, missing: [...missing] };
}

/**
 * The same, for a trace: nothing, too much and unknown names are refused.
 * @param {import('./native').NativeCalls} native
 * @param {string[]} objects
 * @param {{ pattern?: RegExp, list?: Set<string>, flows?: boolean }} wanted
 */
function selectForTrace(native, objects, wanted) {
  const { selected, unreadable, missing } = selectFunctions(native, objects, wanted);
  const count = selected.reduce((sum, { rows }) => sum + rows.length, 0);
  if (missing.length > 0) {
    const known = objects.flatMap((path) => {
      try {
        return native.callsSymbols(path).name;
      } catch {
        return []; // said in `unreadable`
      }
    });
    const [near] = nearMatches(missing[0], known);
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `no function is called '${missing[0]}'${near ? `: did you mean '${near}'?` : ''}` +
        (missing.length > 1 ? ` (and ${missing.length - 1} more of the list are missing)` : ''),
    );
  }
  if (count === 0) {
    const where = objects.length === 1 ? objects[0] : `${objects.length} files`;
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `no function of ${where} matches: see what there is with 'rspack-prof symbols --filter REGEX'` +
        (unreadable.length > 0 ? `; ${unreadable[0]}` : ''),
    );
  }
  if (count > MOST_FUNCTIONS) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `${grouped(count)} functions match, and ${grouped(MOST_FUNCTIONS)} ` +
        "can be traced at once: narrow the pattern with 'rspack-prof symbols --filter REGEX'",
    );
  }
  return { selected, unreadable, count };
}

module.exports = { readList, selectForTrace, selectFunctions };
