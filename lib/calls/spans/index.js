'use strict';
// What JavaScript did while calls were traced: the phases of builds, each call of a plugin's tap and of a
// loader, what the program itself measures (performance.measure(), performance.timerify()), and rspack's own
// spans where they are asked for. Functions of JavaScript by name are not to be had: V8 compiles them anew,
// moves them, and tells nobody when one is called.

const { PerformanceObserver, performance } = require('node:perf_hooks');
const { watchPhases } = require('../../phases/index.js');
const { RspackTrace } = require('../../trace/index.js');
const { wrapCompiler } = require('./compiler.js');
const { SpanLog } = require('./log.js');

/** @typedef {import('./log').Span} Span */
/** @typedef {import('../../index').Warning} Warning */
/** @typedef {{ spans: Span[], dropped: number, warnings: Warning[] }} Spans */

/** @param {SpanLog} log @returns {() => void} ends it */
function observeMeasures(log) {
  // Its clock counts milliseconds from the process's start.
  const zeroNs = log.now() - performance.now() * 1e6;
  const take = (/** @type {import('node:perf_hooks').PerformanceEntry[]} */ entries) => {
    for (const { name, startTime, duration } of entries) {
      const startNs = Math.round(zeroNs + startTime * 1e6);
      const endNs = startNs + Math.round(duration * 1e6);
      log.add({ kind: 'measure', name, startNs, endNs, apart: true });
    }
  };
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ entryTypes: ['measure', 'function'] });
  return () => {
    take(/** @type {any} */ (observer).takeRecords());
    observer.disconnect();
  };
}

/**
 * @param {string | null} filter of rspack's own trace; null: without
 * @returns {{ stop: () => Spans }}
 */
function watchSpans(filter) {
  const log = new SpanLog();
  const trace = filter === null ? null : new RspackTrace(filter);
  const startNs = log.now();
  const phases = watchPhases((binding) => trace?.begin(binding));
  const leave = phases.onCompiler?.((compiler) => wrapCompiler(compiler, log));
  const endMeasures = observeMeasures(log);
  return {
    stop() {
      const endNs = log.now();
      endMeasures();
      leave?.();
      phases.exiting?.();
      phases.stop();
      const own = trace?.read(startNs, endNs) ?? { markers: [], warnings: [] };
      trace?.end();
      for (const marker of [...phases.markers(startNs, endNs), ...own.markers]) {
        const { type, name } = marker;
        if (type !== 'phase' && type !== 'build' && type !== 'child' && type !== 'rspack') continue;
        log.add({
          kind: type,
          name,
          startNs: marker.startNs,
          endNs: marker.endNs ?? endNs,
          apart: true,
        });
      }
      return {
        spans: log.spans,
        dropped: log.dropped,
        warnings: [...warningsOf(log), ...own.warnings],
      };
    },
  };
}

/** @param {SpanLog} log @returns {Warning[]} */
function warningsOf({ dropped, problem }) {
  const warnings = [];
  if (dropped > 0) {
    const message = `${dropped} spans of JavaScript were left out: there were too many`;
    warnings.push({ code: 'spans-dropped', message, fix: '' });
  }
  if (problem !== '') {
    const message = `some spans of JavaScript are missing: ${problem}`;
    warnings.push({ code: 'spans-failed', message, fix: '' });
  }
  return warnings;
}

module.exports = { watchSpans };
