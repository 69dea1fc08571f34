'use strict';
// Reads the log of rspack's `logger` layer: one JSON object per line, written when a span closes, by
// the thread that closes it, unbuffered (rspack 2.2.7). It has the moment of closing (UTC, us), how long
// the span was busy and idle (three digits: a start is known to 0.5 % of the length) and the names of the
// spans around it. It has no thread: neither number nor name.
//
// The caller says where UTC lies on the samples' clock. Refuses nothing: a line that is no closed span
// is an event, one that is no JSON is counted.

const fs = require('node:fs');

/** @typedef {{name: string, target: string, path: string[], startNs: number, endNs: number,
 *    busyNs: number, resource: string, loose?: boolean}} Span path: the names around it, outermost first;
 *    loose: nest.js */
/** @typedef {{spans: Span[], events: number, malformed: number, bytes: number}} Log */
/** @typedef {{unixUs: number, ns: number}} Clock one moment on both clocks */

const CHUNK = 1 << 22;
const UNITS = new Map([
  ['ns', 1],
  ['µs', 1e3],
  ['us', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
]);

/** @param {unknown} text such as '15.8ms' @returns {number} ns, NaN where it is none */
function durationNs(text) {
  const found = /^([\d.]+)(\D+)$/.exec(String(text));
  return found ? Number(found[1]) * (UNITS.get(found[2]) ?? NaN) : NaN;
}

/** @param {unknown} text RFC 3339, UTC @returns {number} us since 1970, NaN where it is none */
function unixUsOf(text) {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(String(text));
  if (!found) return NaN;
  const micros = Number((found[2] ?? '').padEnd(6, '0').slice(0, 6));
  return Date.parse(`${found[1]}Z`) * 1e3 + micros;
}

/**
 * @param {string} line
 * @param {Clock} clock
 * @returns {Span | 'event' | 'malformed'}
 */
function parseLine(line, clock) {
  let entry;
  try {
    entry = JSON.parse(line);
  } catch {
    return 'malformed';
  }
  const { timestamp, fields, span, spans, target } = entry ?? {};
  if (fields?.message !== 'close' || typeof span?.name !== 'string') return 'event';
  // JavaScript taps, written at the end by 2.2.7's globalTrace.cleanup(): their times are minutes past
  // the build's end.
  if (target === 'javascript') return 'event';
  const busyNs = durationNs(fields['time.busy']);
  const lengthNs = busyNs + durationNs(fields['time.idle']);
  const endNs = clock.ns + (unixUsOf(timestamp) - clock.unixUs) * 1e3;
  if (!Number.isFinite(endNs) || !Number.isFinite(lengthNs)) return 'malformed';
  const around = Array.isArray(spans) ? spans : [];
  return {
    name: span.name,
    target: String(target ?? ''),
    path: around.map((/** @type {any} */ one) => String(one?.name ?? '')),
    startNs: endNs - lengthNs,
    endNs,
    busyNs,
    resource: typeof span.resource === 'string' ? span.resource : '',
  };
}

/**
 * @param {string} file up to some hundred MB
 * @param {Clock} clock
 * @returns {Log}
 */
function readLog(file, clock) {
  /** @type {Log} */
  const log = { spans: [], events: 0, malformed: 0, bytes: 0 };
  const take = (/** @type {string} */ line) => {
    if (line === '') return;
    const parsed = parseLine(line, clock);
    if (parsed === 'event') log.events++;
    else if (parsed === 'malformed') log.malformed++;
    else log.spans.push(parsed);
  };
  const fd = fs.openSync(file, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK);
    let rest = Buffer.alloc(0);
    for (;;) {
      const size = fs.readSync(fd, chunk);
      log.bytes += size;
      if (size === 0) break;
      const data = Buffer.concat([rest, chunk.subarray(0, size)]);
      const end = data.lastIndexOf(10) + 1;
      for (const line of data.toString('utf8', 0, end).split('\n')) take(line);
      rest = Buffer.from(data.subarray(end));
    }
    take(rest.toString());
  } finally {
    fs.closeSync(fd);
  }
  return log;
}

module.exports = { durationNs, readLog, unixUsOf };
