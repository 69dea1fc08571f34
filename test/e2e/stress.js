'use strict';
// Runs test/live/stress, with a sanitizer or without, and reads what it counted.

const assert = require('node:assert');
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const LIVE = path.join(__dirname, '..', 'live');

/**
 * @typedef {object} StressOptions
 * @property {number} seconds
 * @property {number} hz
 * @property {number} threads
 * @property {number} recordings
 * @property {string} [sanitizer]
 * @property {string[]} [jobs]
 * @property {number} [allocations] bytes between two sampled ones
 *
 * @param {StressOptions} options
 */
function stress({ seconds, hz, threads, recordings, sanitizer, jobs = [], allocations }) {
  const made = spawnSync('make', ['-j2', '-C', LIVE, `SANITIZE=${sanitizer ?? ''}`], {
    encoding: 'utf8',
  });
  assert.strictEqual(made.status, 0, made.stderr);
  const folder = path.join(LIVE, sanitizer ? `build-${sanitizer}` : 'build');
  const args = [seconds, hz, threads, recordings, ...jobs].map(String);
  // The sanitizers' own signal stacks would be unmapped under a handler that runs on one.
  const env = {
    ...process.env,
    ...(allocations && { STRESS_ALLOCATIONS: String(allocations) }),
    ASAN_OPTIONS: 'use_sigaltstack=0:detect_stack_use_after_return=0:detect_leaks=0',
    TSAN_OPTIONS: 'use_sigaltstack=0:die_after_fork=0',
  };
  // A deadlock is what this looks for too: it ends as a failure.
  const limitS = 200 + 4 * seconds;
  const run = spawnSync('./stress', args, {
    ...{ cwd: folder, encoding: 'utf8', env },
    ...{ timeout: limitS * 1000, killSignal: 'SIGKILL' },
  });
  const isHung = /** @type {NodeJS.ErrnoException} */ (run.error)?.code === 'ETIMEDOUT';
  assert.ok(
    !isHung,
    `stress ${args.join(' ')}: hung, still there after ${limitS} s\n${run.stderr}`,
  );
  assert.strictEqual(run.status, 0, `${run.signal ?? ''}\n${run.stderr}`);
  const end = JSON.parse(run.stdout);
  assert.strictEqual(end.errors, 0);
  // Each sample has exactly one end.
  assert.strictEqual(end.complete + end.truncated + end.broken, end.samples);
  return end;
}

/**
 * What takes longer where others have the processors: again with more time, until there is enough of it.
 * @param {number} seconds
 * @param {Omit<StressOptions, 'seconds'>} options
 * @param {(end: any) => boolean} isEnough
 */
function stressUntil(seconds, options, isEnough) {
  for (let tries = 1; ; tries += 1, seconds *= 4) {
    const end = stress({ ...options, seconds });
    if (isEnough(end) || tries === 3) return end;
  }
}

module.exports = { stress, stressUntil };
