'use strict';
// A verdict for people: what was asked, what the samples say, the table that decided. Text without
// colours, since it goes into test reports.

const { plural } = require('../grouped.js');
const { wrap } = require('../terminal.js');
const { WIDTH } = require('./verdict.js');

/** @typedef {import('./verdict').Verdict} Verdict */

/** From here on something else is cheaper. */
const MANY_RUNS = 50;

/** @param {unknown} value of an argument @returns {string} */
function argumentText(value) {
  if (Object.prototype.toString.call(value) === '[object RegExp]') return String(value);
  if (typeof (/** @type {any} */ (value)?.hotspots) === 'function') return 'profile';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const parts = Object.entries(value).map(([name, one]) => `${name}: ${argumentText(one)}`);
  return `{ ${parts.join(', ')} }`;
}

/** @param {Verdict} verdict */
function needText({ reason, need }) {
  if (reason !== undefined) return reason;
  if (!need) {
    return 'it lies so near the limit that more samples would hardly decide: move the limit';
  }
  const instead = Math.max(need.runs, need.baseline) > MANY_RUNS ? '; or move the limit' : '';
  if (need.baseline > 0) {
    const runs = plural(need.baseline, 'run');
    return `the baseline itself is too uncertain: record it again with about ${runs}, and hold as many against it${instead}`;
  }
  const runs = `about ${plural(need.runs, 'more run')}`;
  if (need.samples === 0) return `${runs} would decide, if they differ as these do${instead}`;
  const samples = `about ${plural(need.samples, 'more sample')}`;
  return `${samples} would decide: ${runs}, or a higher frequency${instead}`;
}

/** A paragraph, the lines after the first indented. @param {string} text */
const hanging = (text) => wrap(text, WIDTH - 2).join('\n  ');

/**
 * @param {Verdict} verdict
 * @param {{name: string, args: unknown[], isNot: boolean}} call
 * @returns {string}
 */
function messageOf(verdict, { name, args, isNot }) {
  const { decision, expected, found, notes = [], table, written } = verdict;
  const lines = [
    `expect(profile)${isNot ? '.not' : ''}.${name}(${args.map(argumentText).join(', ')})`,
    '',
  ];
  if (decision === 'undecided') {
    lines.push(hanging(`ERR_PROF_INCONCLUSIVE: it cannot be decided: ${needText(verdict)}`), '');
  }
  lines.push(hanging(`Expected: ${isNot ? 'not ' : ''}${expected}`));
  if (written !== undefined) lines.push(hanging(`Found: no baseline yet, ${written} was written`));
  else if (found !== '') lines.push(hanging(`Found: ${found}`));
  lines.push(...notes.map((note) => hanging(`Note: ${note}`)));
  if (table) lines.push('', table);
  return lines.join('\n');
}

module.exports = { messageOf };
