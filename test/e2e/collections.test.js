'use strict';
// Stacks of V8's garbage collector, which is entered by assembly without unwind rows where it scans the
// stack itself (node 22 and 24): see is_epilogue in src/stack/code_x86_64.c.

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { run, whyNoEvents } = require('./support.js');

const LIB = JSON.stringify(path.resolve(__dirname, '..', '..', 'lib', 'index.js'));

test(
  'stacks of garbage collections are walked, not guessed',
  { skip: whyNoEvents() },
  async (t) => {
    const script = `const session = require(${LIB}).start({ frequency: 2000, quiet: true });
    const spent = () => process.cpuUsage().user / 1000;
    let kept = [];
    for (const end = spent() + 700; spent() < end;) {
      kept.push(new Array(1000).fill({}).map((_, i) => ({ i })));
      if (kept.length > 50) kept = [];
    }
    const profile = session.stopSync();
    const collected = profile.share(/^v8::internal::(Heap|Scavenger)/, { total: true });
    console.log(JSON.stringify({ ...profile.quality, collected }));`;
    const { stdout, stderr } = await run(process.execPath, ['-e', script]);
    const { samples, guessed, complete, collected } = JSON.parse(stdout || JSON.stringify(stderr));
    t.diagnostic(
      `${guessed} of ${samples} guessed, ${(collected * 100).toFixed(1)} % in V8's heap`,
    );
    assert.ok(samples > 100, `${samples} samples`);
    assert.ok(collected > 0.02, `${collected} in collections`);
    assert.ok(guessed < 0.03 * samples, `${guessed} guessed of ${samples}`);
    assert.ok(complete > 0.95 * samples, `${complete} complete of ${samples}`);
  },
);
