'use strict';
// Marks, spans and phases in the journal: what a crashed build's notes say, and what hostile ones may.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { JournalNotes } = require('../../lib/journal-notes.js');
const { recoverJournal } = require('../../lib/journal.js');
const { readNotes } = require('../../lib/journal-read.js');
const { PhaseRecorder } = require('../../lib/phases/recorder.js');
const { createProfiler } = require('../../lib/create-profiler.js');
const { fakeNative } = require('./helpers/raw-profile.js');

const START = 5e12;
const RECORDING = { startNs: START, endNs: START + 1e9 };
const at = (/** @type {number} */ ms) => START + ms * 1e6;

/** The addon's part: a buffer of so many bytes. */
function journal(most = 4 * 2 ** 20) {
  const file = { text: '', bytes: 0, refused: 0 };
  const notes = new JournalNotes((text, replaces) => {
    const bytes = (replaces ? 0 : file.bytes) + Buffer.byteLength(text);
    if (bytes > most) {
      file.refused += 1;
      return false;
    }
    file.text = replaces ? text : file.text + text;
    file.bytes = bytes;
    return true;
  });
  return { file, notes };
}

/** @param {string} text */
const told = (text) =>
  readNotes(text, RECORDING).markers.map(({ type, name, startNs, endNs, data }) => [
    type,
    name,
    (startNs - START) / 1e6,
    endNs === null ? null : (endNs - START) / 1e6,
    data,
  ]);

/** @param {string} name @param {number} startNs @returns {import('../../lib/profile/raw').Marker} */
const span = (name, startNs) => ({ type: 'span', name, startNs, endNs: null, data: undefined });

test('phases come back as the recorder has them, open ones open', () => {
  const { file, notes } = journal();
  const clock = { ms: 5 };
  const recorder = new PhaseRecorder(() => at(clock.ms));
  recorder.bindingLoaded({ startNs: at(2), endNs: at(4) });
  const first = recorder.compiler('web');
  recorder.follow(notes, START); // what was there before is in it too
  first.begin();
  first.enter('make');
  clock.ms = 20;
  const second = recorder.compiler('');
  second.begin({ watching: true, changed: ['/a.js'] });
  second.enter('make');
  const endChild = second.child('html');
  clock.ms = 30;
  endChild();
  first.enter('seal');
  first.leave();
  first.end();
  clock.ms = 40;
  second.enter('seal');
  const expected = recorder.markers(RECORDING.startNs, RECORDING.endNs);
  assert.deepEqual(readNotes(file.text, RECORDING).markers, structuredClone(expected));
  assert.ok(expected.some(({ name, endNs }) => name === 'seal' && endNs === null));
  assert.ok(expected.some(({ name }) => name === 'binding load'));
});

test('marks and spans of the program are in it as they begin and as they end', async () => {
  const file = { text: '' };
  const { native } = fakeNative({
    note: (_, text, replaces) => ((file.text = replaces ? text : file.text + text), true),
  });
  const clock = { ms: 1 };
  const { start } = createProfiler({
    native: () => native,
    now: () => at(clock.ms),
    hooks: () => () => {},
    exitOutput: () => {},
    say: () => {},
  });
  const session = start();
  session.mark('cache read', { files: 3 });
  const whole = session.span('whole');
  session.span('open', 'data');
  clock.ms = 9;
  whole.end();
  clock.ms = 12;
  whole.end();
  assert.deepEqual(told(file.text), [
    ['mark', 'cache read', 1, 1, { files: 3 }],
    ['span', 'whole', 1, 9, undefined],
    ['span', 'open', 1, null, 'data'],
  ]);
  await session.stop();
  const before = file.text;
  session.mark('too late');
  session.span('too late').end();
  assert.equal(file.text, before);
  start({ journal: false }).mark('nowhere');
  assert.equal(file.text, before);
});

test('a recording that is being stopped costs its build nothing', () => {
  const notes = new JournalNotes(() => {
    throw new Error('no session runs');
  });
  const marker = span('a', at(1));
  notes.begin(marker);
  notes.end(marker);
  notes.compiler('', at(2));
  notes.forget(at(3));
});

test('without room what comes is missing, and that is said', () => {
  const { file, notes } = journal();
  const big = { ...span('big', at(2)), data: 'x'.repeat(3 * 2 ** 20) };
  notes.begin(span('small', at(1)));
  notes.begin(big);
  notes.begin({ ...big, name: 'bigger', startNs: at(500) });
  notes.begin({ ...big, name: 'biggest', startNs: at(600) });
  notes.begin(span('small again', at(700)));
  const { markers, warnings } = readNotes(file.text, RECORDING);
  assert.deepEqual(
    markers.map(({ name }) => name),
    ['small', 'big', 'small again'],
  );
  assert.deepEqual(warnings, [
    {
      code: 'journal-notes-cut',
      message: 'marks and phases are missing from second 0.5 on: the journal keeps 4 MB of them',
      fix: '',
    },
  ]);
});

test('a watch of days: what was forgotten makes room', () => {
  const { file, notes } = journal();
  notes.compiler('web', at(0));
  const open = span('open', at(0));
  notes.begin(open);
  for (let i = 0; i < 200_000; i += 1) {
    const marker = span(`build ${i}`, at(i));
    notes.begin(marker);
    marker.endNs = at(i + 1);
    notes.end(marker);
    if (i % 1000 === 999) notes.forget(at(i - 10));
  }
  assert.equal(file.refused, 0);
  assert.ok(file.text.length < 2 ** 19, `${file.text.length} bytes`);
  const { markers, warnings } = readNotes(file.text, { startNs: START, endNs: at(200_000) });
  assert.deepEqual(warnings, []);
  assert.equal(markers[0].name, 'open');
  assert.equal(markers[0].endNs, null);
  assert.ok(markers.some(({ name }) => name === 'build 199999'));
  open.endNs = at(200_000);
  notes.end(open);
  assert.equal(
    readNotes(file.text, { startNs: START, endNs: at(200_001) }).markers[0].endNs,
    at(200_000),
  );
});

test('hostile lines do no harm, and are counted', () => {
  const good = [
    '["c","web",5000000000000]',
    '["b",1,"phase","make",5000000000000,null,{"index":0,"build":1}]',
  ];
  const bad = [
    'no json',
    'null',
    '{}',
    '[]',
    '["c",1,2]',
    '["b",2,"phase","of nobody",1,null,{"index":1,"build":1}]',
    '["b",2,"phase","of nobody",1,null,{"index":-1,"build":1}]',
    '["b",2,"phase","of nobody",1,null,null]',
    '["b",2,"phase",{},1,null,{"index":0,"build":1}]',
    '["b","__proto__","span","x",1,null]',
    '["b",3,"kernel","x",1,null,{}]',
    '["b",3,"span","x","1",null,{}]',
    '["b",3,"span","x",1e999,null,{}]',
    '["b",3,"span","x",1,"2",{}]',
    '["e",99,5000000000001]',
    '["e",1,"soon"]',
    '["e",1,1]',
    '["l",1]',
    '["d"]',
    '['.repeat(100_000),
  ];
  const { markers, warnings } = readNotes([...good, ...bad, ''].join('\n'), RECORDING);
  assert.deepEqual(
    markers.map(({ name, endNs }) => [name, endNs]),
    [['make', null]],
  );
  assert.deepEqual(warnings, [
    {
      code: 'journal-notes-bad',
      message: `${bad.length} lines of the journal make no sense`,
      fix: '',
    },
  ]);
});

test('a recovered profile has its phases and marks, and one of an older journal none', () => {
  const { file, notes } = journal();
  const { native } = fakeNative();
  const { meta } = native.recoverJournal('').raw;
  notes.compiler('', meta.startNs);
  const data = { index: 0, build: 1 };
  const startNs = meta.startNs + 1;
  notes.begin({ type: 'phase', name: 'make', startNs, endNs: null, data });
  notes.begin({ ...span('mine', startNs + 1), type: 'mark', endNs: startNs + 1 });
  const given = {
    ...native,
    recoverJournal: () => ({ raw: native.recoverJournal('').raw, about: '', notes: file.text }),
  };
  const profile = recoverJournal(given, 'journal');
  assert.deepEqual(profile.markers.map(({ name }) => name).sort(), ['make', 'mine']);
  assert.ok(profile.phases().some(({ name, samples }) => name === 'make' && samples > 0));
  assert.deepEqual(recoverJournal(native, 'journal').markers, []);
});
