'use strict';
// What one should know of a recording's native allocations before one believes them.

const { grouped } = require('../grouped.js');

/** @typedef {import('../index').Warning} Warning */

/** Above this share of the samples it shows in a figure. */
const SHOWS = 0.01;
/** A binding that asks malloc for less than this of all has an allocator of its own inside. */
const OWN_ALLOCATOR = 0.02;

/**
 * @param {import('../profile/raw').RawNative} native
 * @param {number} startNs
 * @returns {Warning[]}
 */
function nativeWarnings(native, startNs) {
  const { all, meanBytes, costPercent, detached, endNs } = native;
  const after = `${((endNs - startNs) / 1e9).toFixed(1)} s`;
  const more = `--allocation-bytes ${meanBytes * 4}`;
  /** @type {Warning[]} */
  const warnings = [];
  const warn = (/** @type {string} */ code, /** @type {string} */ message, fix = '') =>
    warnings.push({ code, message, fix });
  if (detached === 'cost') {
    warn(
      'allocations-detached',
      `sampling allocations cost ${costPercent.toFixed(1)} % of the CPU time, above its cap, and ended itself after ${after}: what came later is not in the allocations (sample fewer: ${more})`,
    );
  }
  if (detached === 'samples') {
    warn(
      'allocations-detached',
      `sampling allocations ended itself after ${after}, at its limit of ${grouped(all.samples)} samples: what came later is not in the allocations (sample fewer: ${more})`,
    );
  }
  if (native.dropped > 0) {
    warn(
      'allocations-dropped',
      `${grouped(native.dropped)} samples of allocations found no room and are missing`,
    );
  }
  if (native.unknown > 0) {
    warn(
      'allocations-not-followed',
      `the frees of ${grouped(native.unknown)} of ${grouped(all.samples)} sampled allocations could not be followed: they are in no figure of what was live (sample fewer: ${more})`,
    );
  }
  if (native.missedFrees > SHOWS * all.samples) {
    warn(
      'allocations-missed-frees',
      `${grouped(native.missedFrees)} of ${grouped(all.samples)} sampled allocations were freed unseen (within libc, or by a library loaded meanwhile) and counted as live until their address was used again`,
    );
  }
  if (native.refusedSlots > 0) {
    warn(
      'allocations-refused',
      `${native.refusedSlots} places that lead to malloc or free could not be written (mprotect): their calls are not seen`,
    );
  }
  if (native.bindingShare !== null && native.bindingShare < OWN_ALLOCATOR) {
    warn(
      'allocations-own-allocator',
      "the binding has an allocator of its own inside (release builds: mimalloc), which cannot be seen: what Rust allocates is missing. The debug binding uses the system's",
      'npm i -D @rspack-debug/binding-linux-x64-gnu',
    );
  }
  return warnings;
}

module.exports = { nativeWarnings };
