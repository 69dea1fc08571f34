'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { isAllowed, wrongIncludes } = require('../../.ci/includes.js');

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} files
 */
function sourceTree(t, files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'includes-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), text);
  }
  return folder;
}

test('every include in src points down', () => {
  assert.deepEqual(wrongIncludes(path.join(__dirname, '..', '..', 'src')), []);
});

test('an include that points up is named with its line', (t) => {
  const folder = sourceTree(t, {
    'base/status.h': '',
    'stack/unwind.h': '#include "base/status.h"\n',
    'code/space.c': '#include <stdio.h>\n\n  # include "stack/unwind.h"\n',
  });
  assert.deepEqual(wrongIncludes(folder), ['code/space.c:3: code must not include stack/unwind.h']);
});

test('parts of one rank do not know each other', (t) => {
  const folder = sourceTree(t, {
    'profile/tree.h': '',
    'code/space.c': '#include "profile/tree.h"\n',
  });
  assert.equal(wrongIncludes(folder).length, 1);
  assert.equal(isAllowed('profile', 'code'), false);
  assert.equal(isAllowed('session', 'stack'), true);
});

test('an include beside the file, with .., is followed to where it leads', (t) => {
  const folder = sourceTree(t, {
    'session/session.h': '',
    'stack/sampler.c': '#include "../session/session.h"\n',
  });
  assert.equal(wrongIncludes(folder).length, 1);
});

test('a folder that nobody gave a rank is refused', (t) => {
  const folder = sourceTree(t, { 'helpers/misc.c': '' });
  assert.deepEqual(wrongIncludes(folder), ['helpers/misc.c: helpers has no rank']);
});
