'use strict';
// What a check found, in words: what was expected, what the samples say with which certainty, and where
// they cannot say it, what would. Rendered by message.js.

const { plural } = require('../grouped.js');
const { renderRows, selectRows } = require('../table.js');
const { fit, percent } = require('../terminal.js');

/** @typedef {import('./intervals').Counted} Counted */
/** @typedef {import('./intervals').Interval} Interval */
/** @typedef {import('./need').Need} Need */
/** @typedef {import('../profile/profile').Profile} Profile */

/**
 * @typedef {object} Verdict
 * @property {'holds' | 'fails' | 'undecided'} decision
 * @property {string} expected a clause: 'at most 20 % in ..'
 * @property {string} found
 * @property {string} [reason] why it is undecided, where that is not a matter of more samples
 * @property {Need | null} [need] null: nothing within reason
 * @property {string[]} [notes]
 * @property {string} [table]
 * @property {string} [written] a file: there was no baseline, or it was to be updated
 */

const TABLE_ROWS = 10;
/** Columns: test runners indent a message by four, and terminals have 80. */
const WIDTH = 76;
const NAME_COLUMNS = 50;

/** In a sentence; Rust names have up to 22,000 characters. @param {string} name */
const nameText = (name) => fit(name, NAME_COLUMNS);

/** @param {number} share 0 to 1 */
const inPercent = (share) => `${percent(share)} %`;

/** @param {number} confidence 0.95: '95 %' */
const confidenceText = (confidence) => `${Number((confidence * 100).toPrecision(6))} %`;

/**
 * @param {Counted & {samples: number}} counted
 * @param {Interval} interval
 * @param {number} confidence
 */
function shareText({ samples, shares }, { value, low, high }, confidence) {
  const runs =
    shares.length > 1
      ? `; ${shares.length} runs: ${shares.map((one) => percent(one)).join(', ')} %`
      : '';
  return (
    `${inPercent(value)} (${confidenceText(confidence)} interval ${percent(low)} to ` +
    `${inPercent(high)}), ${plural(samples, 'sample')}${runs}`
  );
}

/**
 * @param {Profile} profile
 * @param {{by: string, filter?: RegExp, isTotal: boolean, phase?: string, thread?: string | number,
 *    through?: RegExp | string}} what
 */
function tableOf(profile, { by, filter, isTotal, ...where }) {
  const shown = { by, filter, children: isTotal, limit: TABLE_ROWS, percentLimit: 0 };
  // The table asks for names, and knows nothing of which samples.
  const asked = /** @type {any} */ ({
    ...{ meta: profile.meta, quality: profile.quality },
    topHotspots: (/** @type {import('../index').HotspotOptions} */ options) =>
      profile.topHotspots({ ...options, ...where }),
  });
  const rows = selectRows(asked, shown);
  // A table without a row says less than what there is instead.
  if (rows.isEmpty && filter) return tableOf(profile, { by, isTotal: false, ...where });
  const options = { ...shown, width: WIDTH, color: false, warnings: false };
  return renderRows(asked, rows, options).trimEnd();
}

module.exports = { WIDTH, confidenceText, inPercent, nameText, shareText, tableOf };
