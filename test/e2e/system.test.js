'use strict';
// `record -a`: all processes of the machine, where that is allowed, and one line where it is not.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { loadNative } = require('../../lib/native.js');
const { read } = require('../../lib/index.js');
const { temporaryFolder, whyNoEvents } = require('./support.js');

const MAIN = path.resolve(__dirname, '..', '..', 'lib', 'cli', 'main.js');
const NOBODY = 65534;
const paranoid = Number(fs.readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8'));
const isRoot = process.getuid?.() === 0;

/** @returns {string | false} */
function whyNotAllowed() {
  const reason = whyNoEvents();
  if (reason) return reason;
  return isRoot || paranoid <= 0 ? false : `kernel.perf_event_paranoid is ${paranoid}`;
}

/**
 * @param {string} cwd
 * @param {string[]} args
 * @param {{uid?: number, gid?: number}} [user]
 */
const record = (cwd, args, user = {}) =>
  spawnSync(process.execPath, [MAIN, 'record', ...args], {
    ...{ cwd, encoding: 'utf8', timeout: 300_000 },
    ...user,
  });

describe('all processes', { skip: whyNotAllowed() }, () => {
  test('the command and the others are in it, each sample once', (t) => {
    const cwd = temporaryFolder(t);
    // CPU time, not wall time: a busy machine changes nothing.
    const burn =
      "process.title = 'burnsHere'; while (process.cpuUsage().user < 500_000) Math.sqrt(2); process.exitCode = 5";
    const args = ['-a', '-F', '199', '--stack-bytes', '2048', '--raw', 'all.data'];
    const ended = record(cwd, [...args, '-o', 'p.json.gz', '--', process.execPath, '-e', burn]);
    assert.equal(ended.status, 5, ended.stderr);
    assert.deepEqual(fs.readdirSync(cwd).sort(), ['all.data', 'p.json.gz']);
    assert.match(ended.stderr, /SHARE% +SAMPLES +COMPLETE% +PID +PROCESS\n/);
    const profile = read(path.join(cwd, 'p.json.gz'));
    const { samples, complete, truncated, broken } = profile.quality;
    assert.equal(complete + truncated + broken, samples);
    const rows = profile.hotspots({ by: 'comm' });
    const own = rows.find(({ key }) => key === 'burnsHere');
    // 0.5 s at 199 Hz, less what is in threads of other names and the time before it had this one.
    assert.ok(own && own.samples > 20, JSON.stringify(rows));

    const counted = loadNative().perfDataProcesses?.(path.join(cwd, 'all.data')) ?? [];
    const all = counted.reduce((sum, one) => sum + one.samples, 0);
    const left = profile.quality.warnings.find(({ code }) => code === 'other-processes');
    const leftOut = Number(/^\d+/.exec(left?.message ?? '0')?.[0]);
    assert.equal(samples + leftOut, all, 'what is not in it is counted');
    const { timeNs } = /** @type {any} */ (profile).raw.samples;
    assert.ok(
      timeNs.every(
        (/** @type {number} */ ns, /** @type {number} */ i) => i === 0 || ns >= timeNs[i - 1],
      ),
    );
  });

  test('a rate that would leave others no time is lowered, and said', (t) => {
    const { systemStart, systemStop } =
      /** @type {Required<import('../../lib/native').NativeAddon>} */ (loadNative());
    const asked = Number(fs.readFileSync('/proc/sys/kernel/perf_event_max_sample_rate', 'utf8'));
    if (asked < 50_000) return t.skip(`the kernel has lowered its highest rate to ${asked} Hz`);
    const file = path.join(temporaryFolder(t), 'all.data');
    const { frequency, warnings } = systemStart({
      path: file,
      event: 'cpu-clock',
      frequency: asked,
    });
    systemStop();
    // 12 us are taken for what is done with a sample, beside the interrupt's own price.
    assert.ok(frequency < 42_000, `${frequency} Hz`);
    assert.match(JSON.stringify(warnings), /"frequency-lowered".+would leave a CPU less than half/);
  });

  test('a second signal drops it, and nothing is left', async (t) => {
    const cwd = temporaryFolder(t);
    const child = spawn(process.execPath, [MAIN, 'record', '-a', '-F', '99'], {
      ...{ cwd, stdio: ['ignore', 'ignore', 'pipe'] },
    });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    for await (const text of child.stderr) {
      if (said === '' && /until Ctrl-C/.test(String(text))) {
        // Something to read, so that the first is still being answered as the second comes.
        for (const end = Date.now() + 300; Date.now() < end;);
        // Sent while it stands still: both are there before the first is answered.
        for (const signal of /** @type {const} */ (['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT']))
          child.kill(signal);
      }
      said += text;
    }
    if (child.exitCode === null) await once(child, 'exit');
    assert.equal(child.exitCode, 1, said);
    assert.match(said, /\nrspack-prof: given up: the recording is dropped/);
    assert.deepEqual(fs.readdirSync(path.join(cwd, '.rspack-prof')), []);
  });

  test('what cannot be opened is refused, and nothing is left', (t) => {
    const cwd = temporaryFolder(t);
    const refused = [
      [['-a', '-e', 'cpu-clock,page-faults', '--duration', '1'], /by one event/],
      [['-a', '-C', '4000', '--duration', '1'], /CPU 4000 is offline/],
    ];
    for (const [args, message] of /** @type {[string[], RegExp][]} */ (refused)) {
      const { status, stderr } = record(cwd, args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
      assert.match(stderr, /^rspack-prof: [^\n]+\n$/);
      assert.deepEqual(
        fs.readdirSync(path.join(cwd)).filter((name) => name !== '.rspack-prof'),
        [],
      );
    }
  });
});

test('where it is not allowed one line says what would allow it', (t) => {
  if (paranoid <= 0) return t.skip(`kernel.perf_event_paranoid is ${paranoid}`);
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  const can = spawnSync(process.execPath, [MAIN, '--version'], { ...user, cwd: '/' });
  if (can.status !== 0) return t.skip('the package cannot be read by another user here');
  const cwd = temporaryFolder(t);
  fs.chmodSync(cwd, 0o777);
  const { status, stderr } = record(cwd, ['-a', '-e', 'cpu-clock:u', '--duration', '1'], user);
  assert.equal(status, 3, stderr);
  assert.match(stderr, /^rspack-prof: [^\n]*sudo sysctl[^\n]*\(ERR_PROF_PERMISSION\)\n$/);
});
