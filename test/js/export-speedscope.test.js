'use strict';
// speedscope, as its package is published, opens what we write for it and for others: its own format,
// pprof, .cpuprofile, perf script's text, folded stacks. Each has a reader of its own there.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const Ajv = require('ajv').default;
const { dumpDom, noChromium, textOf } = require('./helpers/chromium.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
after(() => fs.rmSync(FOLDER, { recursive: true }));
const RELEASE = path.join(
  path.dirname(require.resolve('speedscope/package.json')),
  'dist',
  'release',
);

/** Hard names beside those of every kind. */
function profile() {
  const { samples, funcs } = smallBuild();
  return buildProfile(
    [
      ...samples,
      { stack: '_start;(anonymous) /app/a b.js:1:2', weight: 2e6 },
      { stack: '_start;<T as core::fmt::Debug>::fmt<(a, b)>', weight: 3e6 },
    ],
    {
      funcs: {
        ...funcs,
        '(anonymous) /app/a b.js:1:2': {
          kind: 'js',
          symbol: '(anonymous)',
          file: '/app/a b.js',
          line: 1,
          column: 2,
        },
        '<T as core::fmt::Debug>::fmt<(a, b)>': { kind: 'rust', object: 'with blank.node' },
      },
      meta: { unit: 'ns', event: 'cpu-clock:uk' },
    },
  );
}

/**
 * The table of functions that speedscope shows, of the first of a file's profiles.
 * @param {string} name
 * @param {import('../../lib/index').ExportOptions} options
 */
async function shown(name, options) {
  const file = path.join(FOLDER, name);
  profile().write(file, options);
  const script = path.join(FOLDER, `${name}.js`);
  const content = fs.readFileSync(file).toString('base64');
  fs.writeFileSync(
    script,
    `speedscope.loadFileFromBase64(${JSON.stringify(name)}, ${JSON.stringify(content)})`,
  );
  const page = path.join(RELEASE, 'index.html');
  return textOf(await dumpDom(`file://${page}#localProfilePath=${script}&view=sandwich`));
}

test('the file fits the JSON schema of the speedscope package', () => {
  const schema = JSON.parse(fs.readFileSync(path.join(RELEASE, 'file-format-schema.json'), 'utf8'));
  const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);
  const file = path.join(FOLDER, 'p.speedscope.json');
  for (const unit of ['ns', 'cycles', 'events']) {
    buildProfile(smallBuild().samples, { ...smallBuild(), meta: { unit } }).write(file);
    const json = JSON.parse(fs.readFileSync(file, 'utf8'));
    assert.ok(validate(json), JSON.stringify(validate.errors?.slice(0, 3)));
    delete (/** @type {any} */ (json).profiles[0].weights);
    assert.ok(!validate(json), 'the schema refuses what is wrong');
  }
});

test('each thread is a profile, its weights add up, its samples spell whole stacks', () => {
  const file = path.join(FOLDER, 'q.speedscope.json');
  const built = profile();
  built.write(file);
  const { profiles, shared } = JSON.parse(fs.readFileSync(file, 'utf8'));
  /** @type {[string, number][]} */
  const threads = built.hotspots({ by: 'thread' }).map(({ key, self }) => [key, self]);
  assert.deepEqual(
    new Map(
      profiles.map((/** @type {any} */ own) => [
        own.name,
        own.weights.reduce((/** @type {number} */ sum, /** @type {number} */ w) => sum + w, 0),
      ]),
    ),
    new Map(threads),
  );
  const tokio = profiles.find((/** @type {any} */ own) => own.name === 'tokio/4243');
  const name = (/** @type {number} */ frame) => shared.frames[frame].name;
  assert.equal(
    tokio.samples[1].map(name).join(';'),
    '_start;rspack_core::compile;swc_ecma::visit;swc_ecma::visit;memcpy',
  );
  const js = shared.frames.find((/** @type {any} */ frame) => frame.name === 'loader');
  assert.deepEqual(js, { name: 'loader', file: '/app/node_modules/@x/ldr/i.js', line: 3, col: 7 });
});

test('speedscope opens its own format', { skip: noChromium }, async () => {
  const text = await shown('own.speedscope.json', {});
  assert.match(text, /node\/4242 \(1\/3\)/);
  // Both rspack_core::compile and fmt have 3 of 13 ms.
  assert.match(text, /3\.00ms \(23%\) <T as core::fmt::Debug>::fmt<\(a, b\)>/);
  assert.match(text, /2\.00ms \(15%\) \(anonymous\)/);
  assert.match(text, /1\.00ms \(7\.7%\) \[no stack\]/);
});

test('speedscope opens pprof', { skip: noChromium }, async () => {
  const text = await shown('own.pb.gz', {});
  assert.match(text, /7\.00ms \(28%\) 7\.00ms \(28%\) memcpy/);
  assert.match(text, /10\.00ms \(40%\) 5\.00ms \(20%\) swc_ecma::visit/);
  assert.match(text, /1\.00ms \(4\.0%\) \[no stack\]/);
});

test('speedscope opens a .cpuprofile', { skip: noChromium }, async () => {
  const text = await shown('own.cpuprofile', {});
  for (const name of ['rspack_core::compile', 'loader', 'Builtin:ArrayMap', 'do_syscall_64']) {
    assert.ok(text.includes(name), `${name} in ${text}`);
  }
});

test('speedscope opens the text of perf script', { skip: noChromium }, async () => {
  const text = await shown('own.perf.txt', { format: 'perf-script' });
  assert.match(text, /node pid: 4242 tid: 4242 \(1\/3\)/);
  // No frame is lost: not the anonymous one, not the one in a file with a blank in its name.
  assert.match(text, /<anonymous> \/app\/a b\.js:1:2/);
  assert.match(text, /<T as core::fmt::Debug>::fmt<\(a, b\)>/);
});

test('speedscope opens folded stacks', { skip: noChromium }, async () => {
  const text = await shown('own.folded', { all: true, tid: true });
  assert.match(text, /1 \(9\.1%\) do_syscall_64_\[k\]/);
  assert.match(text, /tokio-4242\/4300/);
});
