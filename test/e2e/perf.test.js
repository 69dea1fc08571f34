'use strict';
// The flat table against perf's on the same build: two runs of one case, the same event, the same
// frequency. Of perf's 30 hottest symbols at least 27 are in our 40 hottest, and their shares
// differ by less than 1.5 points or a quarter, whichever is larger.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { prepareBuild } = require('../../bench/build.js');
const { whyNoRspack } = require('../js/helpers/rspack.js');
const support = require('./support.js');

const CASE = 'react-1k';
const FREQUENCY = 4000;

/** @returns {string | false} */
function whyNot() {
  const refused = support.whyNoEvents();
  if (refused) return refused;
  const { status, error } = spawnSync('perf', [
    'record',
    '-o',
    '/dev/null',
    '-e',
    'cpu-clock:uk',
    'true',
  ]);
  return error || status !== 0 ? 'perf is not installed, or may not record here' : false;
}

/**
 * perf's rows by symbol over all threads: share of all samples.
 * @param {string} data
 * @returns {Map<string, number>}
 */
function perfRows(data) {
  const args = [
    'report',
    '-i',
    data,
    '--no-children',
    '--stdio',
    '-g',
    'none',
    '-F',
    'overhead,sym',
  ];
  const { stdout, status, stderr } = spawnSync(
    'perf',
    [...args, '-t', '|', '--percent-limit', '0.05'],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  assert.equal(status, 0, stderr);
  const rows = new Map();
  for (const line of stdout.split('\n')) {
    const found = /^\s*([\d.]+)%?\|\[[.kgu]\] (.*?)\s*$/.exec(line);
    if (found) rows.set(found[2], (rows.get(found[2]) ?? 0) + Number(found[1]) / 100);
  }
  return rows;
}

/** Ours are without a function's parameters, and of several aliases either may be printed. @param {string} name */
const plain = (name) => name.replace(/@@?GLIBC\S*|@plt$/, '').replace(/\(.*\)( const)?$/, '');

test('the flat table agrees with perf report', { skip: whyNoRspack || whyNot() }, async (t) => {
  const output = support.temporaryFolder(t);
  const ended = await support.build(CASE, {
    output,
    prof: { frequency: FREQUENCY, event: 'cpu-clock:uk' },
  });
  assert.equal(ended.code, 0);
  const { profile } = support.profileIn(output);

  const data = path.join(output, 'perf.data');
  const { command, args, env, folder } = prepareBuild(CASE);
  const record = ['record', '-o', data, '-e', 'cpu-clock:uk', '-F', String(FREQUENCY), '--'];
  const perf = await support.run('perf', [...record, command, ...args], { env, cwd: folder });
  assert.equal(perf.code, 0, perf.stderr);

  const ours = new Map();
  for (const row of profile.hotspots({ by: 'symbol', percentLimit: 0 })) {
    const name = plain(row.symbol ?? row.key);
    ours.set(name, (ours.get(name) ?? 0) + row.selfShare);
  }
  const ranked = [...ours].sort((a, b) => b[1] - a[1]);
  const top40 = new Set(ranked.slice(0, 40).map(([name]) => name));
  const theirs = new Map();
  // perf has no names for V8's code: addresses there, which ours cannot have.
  for (const [name, share] of perfRows(data)) {
    if (!/^0x?[0-9a-f]+$/.test(name))
      theirs.set(plain(name), (theirs.get(plain(name)) ?? 0) + share);
  }
  const top30 = [...theirs].sort((a, b) => b[1] - a[1]).slice(0, 30);

  const missing = top30.filter(([name]) => !top40.has(name));
  const apart = top30.filter(([name, share]) => {
    const limit = Math.max(0.015, share / 4);
    return Math.abs((ours.get(name) ?? 0) - share) > limit;
  });
  const show = (/** @type {[string, number][]} */ rows) =>
    rows
      .map(([name, share]) => {
        const mine = ours.get(name) ?? 0;
        return `${(share * 100).toFixed(2)} % perf, ${(mine * 100).toFixed(2)} % ours: ${name}`;
      })
      .join('\n');
  t.diagnostic(`${30 - missing.length} of perf's 30 are in our 40`);
  assert.ok(missing.length <= 3, `missing from our 40:\n${show(missing)}`);
  assert.equal(apart.length, 0, `shares differ:\n${show(apart)}`);
});
