'use strict';
// A trace that rspack wrote by itself (RSPACK_PROFILE=OVERVIEW) while a build was recorded, laid over the
// profile: the log of the `logger` layer, or a `.pftrace`.

const fs = require('node:fs');
const { ProfError, reasonOf } = require('../errors.js');
const { alignClocks } = require('./align.js');
const { traceWarnings } = require('./index.js');
const { traceMarkers } = require('./markers.js');
const { nestAlone } = require('./nest.js');
const { readLog } = require('./read-log.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./read-log').Span} Span */

/** What was said of the trace that this one takes the place of. */
const OWN_TRACE = ['trace-missed', 'trace-cost', 'spans-dropped', 'trace-malformed'];
/** The recording's start is known in whole milliseconds of UTC. */
const START_ERROR_NS = 1e6;

/** @param {string} file @param {string} problem @param {unknown} [cause] */
const refused = (file, problem, cause) =>
  new ProfError('ERR_PROF_BAD_FILE', `${file}: ${problem}`, { cause });

/** A Trace message begins with a packet, field 1; JSON with a brace. @param {string} file */
function isPftrace(file) {
  const fd = fs.openSync(file, 'r');
  try {
    const first = Buffer.alloc(1);
    return fs.readSync(fd, first) === 1 && first[0] === 0x0a && fs.fstatSync(fd).size > 2;
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * @param {Profile} profile
 * @param {string} file
 * @returns {{spans: Span[], layer: string, bytes: number, malformed: number,
 *    range?: import('./align').Range}}
 */
function readSpans({ meta }, file) {
  if (isPftrace(file)) {
    const bytes = fs.readFileSync(file);
    const spans = require('./read-pftrace.js').readPftrace(bytes);
    return { spans, layer: 'perfetto', bytes: bytes.length, malformed: 0 };
  }
  const clock = { unixUs: meta.startUnixMs * 1e3, ns: meta.startNs };
  const { spans, bytes, malformed } = readLog(file, clock);
  // startUnixMs is rounded down: the true time is later, and so are the spans earlier.
  const range = { low: -START_ERROR_NS, high: START_ERROR_NS };
  return { spans, layer: 'logger', bytes, malformed, range };
}

/**
 * @param {Profile} profile
 * @param {string} file
 * @returns {Profile} the same with the spans
 */
function withTrace(profile, file) {
  let read;
  try {
    read = readSpans(profile, file);
  } catch (error) {
    const reason = reasonOf(error);
    throw refused(file, `not a trace of rspack's that can be read: ${reason}`, error);
  }
  const { spans, range, ...about } = read;
  if (spans.length === 0) throw refused(file, "no spans in it: is it a trace of rspack's?");
  nestAlone(spans, about.layer === 'logger');
  const aligned = alignClocks(spans, profile.markers, range);
  if (!aligned) {
    throw refused(
      file,
      'it does not fit to this profile: no hook of the build lies at the same time in both; was it ' +
        'written by the recorded process, with RSPACK_PROFILE=OVERVIEW?',
    );
  }
  const { offsetNs, uncertainNs } = aligned;
  const moved = spans.map((span) => ({
    ...span,
    startNs: span.startNs + offsetNs,
    endNs: span.endNs + offsetNs,
  }));
  const { meta } = profile;
  if (!moved.some(({ startNs, endNs }) => endNs > meta.startNs && startNs < meta.endNs)) {
    throw refused(file, 'its spans are of another time than this recording');
  }
  const info = { filter: '', ...about, uncertainUs: Math.ceil(uncertainNs / 1e3) };
  const markers = [
    ...profile.markers.filter(({ type }) => type !== 'rspack' && type !== 'trace'),
    ...traceMarkers(moved, { startNs: meta.startNs, endNs: meta.endNs }, info),
  ];
  const { Profile } = require('../profile/profile.js');
  const { raw, quality, context, build, others } = profile;
  const made = new Profile(raw, { markers, context, build, others });
  made.quality.warnings = [
    ...quality.warnings.filter(({ code }) => !OWN_TRACE.includes(code)),
    ...traceWarnings(markers.filter(({ type }) => type === 'trace')),
  ];
  return made;
}

module.exports = { withTrace };
