'use strict';
// rspack's own trace and watches, on real builds: its spans lie where the phases do, the build is the
// same, a filter costs no abort; a trace that rspack wrote for the user is laid over; a watch's builds
// are profiles of their own.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const support = require('./support.js');
const { bindingFile, prepareBuild } = require('../../bench/build.js');
const prof = require('../../lib/index.js');

const { hashOf, run, temporaryFolder } = support;
const skip = whyNoRspack || support.whyNoEvents();
const MAIN = path.join(__dirname, '../../lib/cli/main.js');

/** Folders that a trace's log would be left in. */
const logs = () =>
  fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith('rspack-prof-trace-'));

/**
 * @param {import('node:test').TestContext} t
 * @param {object} how of trace-child.mjs
 * @param {{env?: Record<string, string>, stderr?: RegExp}} [more]
 */
async function child(t, how, { env = {}, stderr = /^$/ } = {}) {
  const folder = temporaryFolder(t);
  const script = path.join(__dirname, 'trace-child.mjs');
  const ended = await run(process.execPath, [script, JSON.stringify({ folder, ...how })], {
    env: { ...process.env, ...env },
  });
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stderr, stderr);
  const said = ended.stdout === '' ? null : JSON.parse(ended.stdout);
  return { folder, ...said, stderr: ended.stderr, profile: said && prof.read(said.file) };
}

const caseConfig = () => path.join(prepareBuild('react-100').folder, 'build.config.js');
/** @param {prof.Profile} profile */
const codesOf = (profile) => profile.quality.warnings.map(({ code }) => code);

describe("rspack's own trace", { skip }, () => {
  test('its spans lie where the phases do; output and standard error are as without; the log is gone', async (t) => {
    const before = logs();
    const config = caseConfig();
    const plain = await child(t, { config, options: null });
    const { folder, profile } = await child(t, {
      config,
      options: { trace: true, frequency: 2000 },
    });
    assert.equal(hashOf(path.join(folder, 'dist')), hashOf(path.join(plain.folder, 'dist')));
    assert.ok(
      !codesOf(profile).some((code) => /^(trace|spans)/.test(code)),
      codesOf(profile).join(),
    );
    const about = profile.markers.find((/** @type {prof.Marker} */ { type }) => type === 'trace');
    for (const [phase, hook] of [
      ['make', 'hook:CompilerMake'],
      ['emit', 'hook:CompilerEmit'],
    ]) {
      const began = profile.markers.find(
        (/** @type {prof.Marker} */ m) => m.type === 'phase' && m.name === phase,
      );
      const called = profile.markers.find(
        (/** @type {prof.Marker} */ m) => m.type === 'rspack' && m.name === hook,
      );
      // A span's start is known to its length's three digits (trace/read-log.js).
      const sureNs = about.data.uncertainUs * 1e3 + 2e4;
      const startSureNs = sureNs + 0.006 * (called.endNs - called.startNs);
      const into = began.startNs - called.startNs;
      assert.ok(
        into > -startSureNs && began.startNs < called.endNs + sureNs,
        `${phase}: ${into / 1e6} ms into ${hook}, known to ${startSureNs / 1e6} ms`,
      );
    }
    const rows = profile.spans();
    const sum = rows.reduce(
      (/** @type {number} */ all, /** @type {prof.SpanRow} */ row) => all + row.samples,
      0,
    );
    assert.equal(sum, profile.quality.samples);
    const minify = rows.find(
      (/** @type {prof.SpanRow} */ row) => row.name === 'SwcJsMinimizerRspackPlugin:process_assets',
    );
    const assets = profile
      .phases()
      .find((/** @type {prof.PhaseRow} */ row) => row.name === 'process assets');
    assert.ok(
      minify.samples > 0 && minify.selfShare > 0.5 * assets.share,
      `${minify.selfShare} of ${assets.share}`,
    );
    assert.ok(rows.length < 100, 'a handful');
    assert.deepEqual(logs(), before);
  });

  test('one in a process: a second recording says so, and has its profile', async (t) => {
    const { second } = await child(t, { options: { trace: true }, second: true });
    const { message } = second.find(
      (/** @type {prof.Warning} */ { code }) => code === 'trace-missed',
    );
    assert.match(message, /binding|one trace in a process/);
  });

  test('a trace of the user’s own stays his, and is laid over afterwards: log and pftrace', async (t) => {
    const { folder, command, args, env } = prepareBuild('react-100', {
      binding: bindingFile('debug') ?? undefined,
    });
    const out = temporaryFolder(t);
    for (const [layer, name] of [
      ['logger', 'rspack.log'],
      ['perfetto', 'rspack.pftrace'],
    ]) {
      const trace = path.join(out, name);
      const file = path.join(out, `${layer}.json.gz`);
      const recorded = await run(
        process.execPath,
        [MAIN, 'record', '-o', file, '--trace', 'stages', '--', command, ...args],
        {
          cwd: folder,
          env: {
            ...env,
            RSPACK_PROFILE: 'OVERVIEW',
            RSPACK_TRACE_LAYER: layer,
            RSPACK_TRACE_OUTPUT: trace,
          },
        },
      );
      assert.equal(recorded.code, 0, recorded.stderr);
      assert.match(recorded.stderr, /RSPACK_PROFILE asks for a trace of its own/);
      const report = await run(process.execPath, [
        MAIN,
        'report',
        file,
        '--spans',
        '--json',
        '--trace',
        trace,
      ]);
      assert.equal(report.code, 0, report.stderr);
      /** @type {prof.SpanRow[]} */
      const rows = JSON.parse(report.stdout).spans;
      const minify = rows.find((row) => row.name === 'SwcJsMinimizerRspackPlugin:process_assets');
      assert.ok(minify && minify.selfShare > 0.2, `${layer}: ${minify?.selfShare}`);
      const parse = rows.find((row) => row.name === 'JavaScriptParser:parse');
      assert.ok(parse && parse.spans > 100);
      const text = await run(process.execPath, [MAIN, 'report', file, '--spans', '--trace', trace]);
      assert.match(text.stdout, new RegExp(`${layer} layer.*clocks agree to`));
    }
  });

  test('a filter that would abort rspack is refused before anything runs', async () => {
    const { code, stderr } = await run(process.execPath, [
      MAIN,
      'record',
      '--trace',
      'x=[',
      '--',
      'true',
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /option 'trace' takes 'stages'/);
  });
});

describe('a watch', { skip }, () => {
  test('each build is a profile of its own, as many as asked for are kept and written', async (t) => {
    const options = { frequency: 10_000, watch: { keep: 2, write: true, print: true } };
    const { folder, profile, slowest, stderr } = await child(
      t,
      { options, rebuilds: 2 },
      { stderr: /^(rspack-prof: build \d.*\n){3}$/ },
    );
    assert.match(stderr, /build 3: [\d.]+ m?s \(index\.js\); slowest of the last 2: build [23]/);
    const builds = profile.rebuilds();
    assert.deepEqual(
      builds.map((/** @type {prof.Rebuild} */ { build, watching }) => [build, watching]),
      [
        [2, true],
        [3, true],
      ],
    );
    assert.deepEqual(builds[0].changed, [path.join(folder, 'index.js')]);
    const most = Math.max(...builds.map((/** @type {prof.Rebuild} */ { ms }) => ms));
    assert.equal(slowest[0].ms, most);
    const part = profile.rebuild(3);
    assert.ok(part.quality.samples > 0 && part.quality.samples < profile.quality.samples);
    assert.ok(part.phases().some((/** @type {prof.PhaseRow} */ row) => row.name === 'make'));
    assert.ok(prof.diff(profile.rebuild(2), part).rows.length > 0);
    assert.ok(codesOf(profile).includes('builds-dropped'));
    const [own] = fs.readdirSync(path.join(folder, 'out')).filter((name) => !name.startsWith('.'));
    const files = fs.readdirSync(path.join(folder, 'out', own)).sort();
    assert.deepEqual(files, ['build-2.json.gz', 'build-3.json.gz']);
    const { stdout } = await run(process.execPath, [
      MAIN,
      'report',
      '--build',
      'last',
      '--phases',
      path.join(folder, 'profile.json.gz'),
    ]);
    assert.match(stdout, /make/);
  });
});
