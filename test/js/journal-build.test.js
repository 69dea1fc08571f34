'use strict';
// Plugins and loaders in the journal: what a crashed build's notes say of them, and what hostile ones may.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { JournalNotes } = require('../../lib/journal-notes.js');
const { BuildLines } = require('../../lib/journal-build.js');
const { readNotes } = require('../../lib/journal-read.js');
const { recoverJournal } = require('../../lib/journal.js');
const { BuildRecord, notesBetween } = require('../../lib/phases/notes.js');
const { buildRaw, fakeNative } = require('./helpers/raw-profile.js');

const RECORDING = { startNs: 5e12, endNs: 5e12 + 1e9 };
const MOST = 4 * 2 ** 20;

/** A build, and the journal that follows it; `phase` ends one, when counts are written. */
function followed() {
  const record = new BuildRecord(() => (fn) => ({ file: '/p.js', line: Number(fn), column: 7 }));
  const file = { text: '', written: 0 };
  const notes = new JournalNotes((text, replaces) => {
    const whole = replaces ? text : file.text + text;
    if (Buffer.byteLength(whole) > MOST) return false;
    file.text = whole;
    file.written += Buffer.byteLength(text);
    return true;
  });
  /** @type {import('../../lib/profile/raw').Marker} */
  const marker = { type: 'phase', name: 'make', startNs: 5e12, endNs: 5e12, data: undefined };
  return { record, file, notes, phase: () => notes.end(marker) };
}

/** @param {string} text */
const readBuild = (text) => readNotes(text, RECORDING);

test('names and counts come back as a session has them: from where it began', () => {
  const { record, file, notes, phase } = followed();
  record.root = '/app';
  const old = record.tap('emit', { name: 'Old', fn: 1 });
  old.calls = 5;
  record.loader('/old.js').runs = 3;
  const before = record.read();
  const leave = record.follow(notes.build);
  const counted = record.tap('make', { name: 'New', fn: 2 });
  record.tap('done', { name: 'Never counted', fn: 3 });
  counted.calls = 0;
  phase();
  old.calls = 9;
  Object.assign(record.loader('/old.js'), { runs: 13, entries: 4 });
  Object.assign(record.loader('/new.js'), { runs: 2, entries: 0 });
  phase();
  const { build, warnings } = readBuild(file.text);
  assert.deepEqual(build, notesBetween(before, record.read()));
  assert.deepEqual(
    build.taps.map(({ plugin, calls }) => [plugin, calls]),
    [
      ['Old', 4],
      ['New', 0],
      ['Never counted', null],
    ],
  );
  assert.deepEqual(warnings, []);
  const length = file.text.length;
  phase();
  assert.equal(file.text.length, length, 'nothing has changed');
  leave();
  record.tap('make', { name: 'After', fn: 4 });
  assert.equal(file.text.length, length);
});

test('counts are written every now and then, not with every call', () => {
  let written = 0;
  const lines = new BuildLines(
    () => {},
    () => (written += 1),
  );
  for (let i = 0; i < 10_000; i += 1) lines.counted();
  assert.ok(written >= 1 && written < 5_000, `${written}`);
});

test('the counts of a long build do not fill the journal', () => {
  const { record, file, notes, phase } = followed();
  record.follow(notes.build);
  const taps = Array.from({ length: 300 }, (_, i) => record.tap('make', { name: `P${i}`, fn: i }));
  for (let round = 1; round <= 2000; round += 1) {
    for (const tap of taps) tap.calls = round;
    phase();
  }
  const { build, warnings } = readBuild(file.text);
  assert.deepEqual(warnings, []);
  assert.ok(build.taps.every(({ calls }) => calls === 2000));
  assert.ok(file.text.length < 2 ** 20, `${file.text.length} bytes`);
  // What is given back is written anew for it: no more than as much again.
  assert.ok(file.written < 3 * 2000 * 300 * 9, `${file.written} bytes written`);
});

test('a journal that is full of marks keeps what it had of plugins', () => {
  const { record, file, notes, phase } = followed();
  record.follow(notes.build);
  const tap = record.tap('make', { name: 'P', fn: 1 });
  tap.calls = 1;
  phase();
  const data = 'x'.repeat(MOST - 500 - file.text.length);
  notes.begin({ type: 'mark', name: 'big', startNs: 5e12, endNs: 5e12, data });
  for (let round = 2; round < 2000; round += 1) {
    tap.calls = round;
    phase();
  }
  const { build, warnings } = readBuild(file.text);
  assert.ok(Number(build.taps[0].calls) >= 1);
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['journal-notes-cut'],
  );
  assert.ok(file.written < 2 * MOST, `${file.written} bytes written`);
});

test('hostile lines do no harm, and are counted', () => {
  const good = [
    '["r","/app"]',
    '["t",0,"P","emit","/p.js",1,2]',
    '["o",0,"/l.js"]',
    '["n",[0,3],[0,1,2]]',
  ];
  const bad = [
    '["r",1]',
    '["t",1,"P","emit","/p.js",-1,2]',
    '["t",1,"P","emit",null,1,2]',
    '["t","1","P","emit","/p.js",1,2]',
    '["t",1.5,"P","emit","/p.js",1,2]',
    '["t"]',
    '["o","__proto__","/l.js"]',
    '["o",2]',
    '["n"]',
    '["n",{"length":1},[]]',
    '["n",[9,1],[]]',
    '["n",["__proto__",1],[]]',
    '["n",[0,-1],[]]',
    '["n",[0],[]]',
    '["n",[],[0,1]]',
    '["n",[],[0,"1",1]]',
    '["n",[],[0,1e999,1]]',
    '["constructor",1]',
  ];
  const { build, warnings } = readBuild([...good, ...bad].join('\n'));
  assert.deepEqual(build, {
    root: '/app',
    taps: [{ plugin: 'P', hook: 'emit', file: '/p.js', line: 1, column: 2, calls: 3 }],
    loaders: [{ path: '/l.js', runs: 1, entries: 2 }],
  });
  assert.equal(warnings[0].message, `${bad.length} lines of the journal make no sense`);
});

test('a recovered profile has the time of its plugins and loaders', () => {
  const funcs = {
    tap: { kind: 'js', symbol: 'tap', file: '/app/p.js', line: 4, column: 7 },
    main: { kind: 'js', symbol: 'main', file: '/app/main.js', line: 1, column: 1 },
  };
  const raw = buildRaw([{ stack: 'main;tap' }, { stack: 'main;tap' }, { stack: 'main' }], {
    funcs,
  });
  const notes = '["r","/app"]\n["t",0,"Mine","emit","/app/p.js",4,7]\n["n",[0,2],[]]\n';
  const { native } = fakeNative();
  const given = { ...native, recoverJournal: () => ({ raw, about: '', notes }) };
  const profile = recoverJournal(given, 'journal');
  const rows = profile.hotspots({ by: 'plugin' });
  assert.equal(rows.find(({ key }) => key === 'Mine')?.samples, 2);
  assert.equal(profile.border().hooks.find(({ plugin }) => plugin === 'Mine')?.calls, 2);
});
