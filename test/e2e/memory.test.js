'use strict';
// A recording of memory: page faults stand where memory is touched first, resident memory follows, and the
// JavaScript function that allocates is named.

const assert = require('node:assert');
const test = require('node:test');
const prof = require('../../lib/index.js');
const { whyNoEvents } = require('./support.js');

const MB = 2 ** 20;

test(
  'touched memory shows in its faults, its curve and its allocations',
  { skip: whyNoEvents() },
  async (t) => {
    const session = prof.start({ memory: true, quiet: true });
    /** @type {Buffer[]} */
    const blocks = [];
    function touchMemory() {
      for (let i = 0; i < 24; i++) blocks.push(Buffer.alloc(4 * MB, 1));
    }
    touchMemory();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const profile = await session.stop();
    if (!profile.meta.event.startsWith('page-faults')) return t.skip(profile.meta.event);
    assert.strictEqual(profile.meta.unit, 'events');
    assert.strictEqual(profile.meta.period, 64);
    const share = profile.share(/touchMemory/, { total: true });
    const faults = profile.hotspots({ by: 'state' })[0].self;
    t.diagnostic(`${faults} faults, ${(share * 100).toFixed(1)} % below touchMemory`);
    assert.ok(share > 0.5, `${share} of ${faults} faults`);
    const { memory } = profile;
    assert.ok(memory);
    const { bytes, timeMs } = memory.resident;
    const grew = memory.resident.peakBytes - bytes[0];
    assert.ok(grew > 80 * MB, `${bytes}`);
    assert.deepStrictEqual(
      timeMs,
      [...timeMs].sort((a, b) => a - b),
    );
    assert.ok(memory.heap.usedBytes.length >= 2);
    assert.strictEqual(blocks.length, 24);
  },
);
