'use strict';
// Where start() was called from. A config that fails is evaluated again by @rspack/cli, up to three
// times and by two loaders: it must be the same place each time.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { callSite } = require('../../lib/call-site.js');
const { whyNoRspack: skip } = require('./helpers/rspack.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-site-'));
after(() => fs.rmSync(FOLDER, { recursive: true, force: true }));

const SITE = JSON.stringify(require.resolve('../../lib/call-site.js'));
const RSPACK = path.join(
  path.dirname(require.resolve('@rspack/cli/package.json')),
  'bin',
  'rspack.js',
);

test('file and line of the first frame outside of the package', () => {
  const first = callSite();
  assert.match(first, /call-site\.test\.js:\d+$/);
  assert.notEqual(callSite(), first);
});

test('frozen intrinsics: no place, and nothing thrown', () => {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--frozen-intrinsics', '-p', `typeof require(${SITE}).callSite()`],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0);
  assert.equal(stdout, 'string\n');
});

test('what others did to Error stays as it was, and does not matter', () => {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const own = () => 'a stack of somebody’s own';
  try {
    Error.prepareStackTrace = own;
    Error.stackTraceLimit = 0;
    assert.match(callSite(), /call-site\.test\.js:\d+$/);
    assert.equal(Error.prepareStackTrace, own);
    assert.equal(Error.stackTraceLimit, 0);
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
});

for (const [name, text] of Object.entries({
  'rspack.config.mjs': `import site from ${SITE};\n\nprocess.stderr.write('[at ' + site.callSite() + ']');\nexport default { plugins: [notDefined] };\n`,
  'rspack.config.js': `const { callSite } = require(${SITE});\nprocess.stderr.write('[at ' + callSite() + ']');\nrequire('no-such-package');\n`,
})) {
  test(`a failing ${name}: one place, however often @rspack/cli loads it`, { skip }, () => {
    const file = path.join(FOLDER, name);
    fs.writeFileSync(file, text);
    const { stderr, status } = spawnSync(process.execPath, [RSPACK, 'build', '-c', file], {
      cwd: FOLDER,
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(stderr, /notDefined is not defined|Cannot find module 'no-such-package'/);
    const seen = [...stderr.matchAll(/\[at ([^\]]+)\]/g)].map(([, site]) => site);
    assert.ok(seen.length >= 2, stderr);
    assert.deepEqual([...new Set(seen)], [`${file}:${name.endsWith('mjs') ? 3 : 2}`]);
  });
}
