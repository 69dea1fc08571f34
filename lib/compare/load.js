'use strict';
// What else kept this machine's CPUs busy during a run, from /proc/stat (proc(5)): what all CPUs worked,
// less what the run itself took. In units of one CPU: 0.5 is half a CPU's time.

const fs = require('node:fs');
const os = require('node:os');

/** USER_HZ: 100 on every Linux that node runs on; times in /proc/stat count in it. */
const TICK_MS = 10;

/**
 * @param {string} text of /proc/stat
 * @returns {{ busyMs: number, stolenMs: number } | null}
 */
function parseStat(text) {
  const fields = /^cpu +(.*)$/m.exec(text)?.[1].split(' ').map(Number);
  if (!fields || fields.length < 8) return null;
  const [user, nice, system, , , irq, softirq, steal] = fields;
  return { busyMs: (user + nice + system + irq + softirq) * TICK_MS, stolenMs: steal * TICK_MS };
}

function readStat() {
  try {
    return parseStat(fs.readFileSync('/proc/stat', 'utf8'));
  } catch {
    return null; // no /proc: then nobody knows
  }
}

/**
 * @returns {(own: { wallMs: number, userMs: number, sysMs: number }) =>
 *   { othersCpus: number | null, stolenCpus: number | null }} ends the watch of one run
 */
function watchLoad() {
  const before = readStat();
  return ({ wallMs, userMs, sysMs }) => {
    const after = readStat();
    if (!before || !after || wallMs <= 0) return { othersCpus: null, stolenCpus: null };
    const others = after.busyMs - before.busyMs - userMs - sysMs;
    const cpus = os.cpus().length || 1;
    // Ticks are coarse: a short run's own time may seem more than all that was worked.
    const share = (/** @type {number} */ ms) => Math.min(cpus, Math.max(0, ms / wallMs));
    return { othersCpus: share(others), stolenCpus: share(after.stolenMs - before.stolenMs) };
  };
}

module.exports = { watchLoad };
