'use strict';
// Columns over the calling-context tree: orders, sums, and memory that is lent.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Scratch } = require('../../lib/profile/scratch.js');
const { depthFirst, groupTotals, mergeByName, subtreeSums } = require('../../lib/profile/tree.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

let seed = 7;
/** @param {number} end */
const below = (end) => ((seed = (seed * 48271) % 2147483647), seed % end);

/** @param {number} count of nodes, each below one of the few before it, so that paths are long */
function randomTree(count) {
  const parent = Int32Array.from({ length: count }, (_, i) =>
    i === 0 ? -1 : Math.max(0, i - 1 - below(4)),
  );
  const group = Int32Array.from({ length: count }, () => below(5));
  const weight = Float64Array.from({ length: count }, () => below(100));
  return { parent, group, weight };
}

test('depth first: a parent before its children, each subtree a range', () => {
  for (let round = 0; round < 50; round++) {
    const { parent } = randomTree(1 + below(60));
    const { order, size } = depthFirst(parent);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      [...parent.keys()],
    );
    const placeOf = new Int32Array(parent.length);
    order.forEach((node, place) => (placeOf[node] = place));
    for (let node = 1; node < parent.length; node++) {
      const [own, up] = [placeOf[node], placeOf[parent[node]]];
      assert.ok(own > up && own + size[node] <= up + size[parent[node]]);
    }
  }
});

test('what passes through a group counts once, however often it stands in a stack', () => {
  for (let round = 0; round < 50; round++) {
    const { parent, group, weight } = randomTree(2 + below(60));
    const wanted = new Float64Array(5);
    for (let leaf = 1; leaf < parent.length; leaf++) {
      const met = new Set();
      for (let node = leaf; node > 0; node = parent[node]) met.add(group[node]);
      for (const one of met) wanted[one] += weight[leaf];
    }
    const sums = subtreeSums(parent, weight);
    assert.deepEqual(groupTotals(depthFirst(parent), group, 5, sums), wanted);
  }
});

test('siblings of one name are one, whatever memory it was worked out in', () => {
  const scratch = new Scratch();
  for (let round = 0; round < 50; round++) {
    const { parent, group } = randomTree(2 + below(2000));
    const names = Uint32Array.from({ length: 5 }, (_, i) => i >> 1);
    const fresh = mergeByName(parent, group, names);
    const lent = scratch.lend((take) => mergeByName(parent, group, names, undefined, take));
    assert.deepEqual(lent, fresh);
    const children = new Set();
    for (let node = 1; node < fresh.parent.length; node++) {
      assert.ok(fresh.parent[node] < node);
      children.add(`${fresh.parent[node]} ${names[group[fresh.node[node]]]}`);
    }
    assert.equal(children.size, fresh.parent.length - 1);
    for (let node = 1; node < parent.length; node++)
      assert.equal(fresh.parent[fresh.merged[node]], fresh.merged[parent[node]]);
  }
});

test('columns that are lent: zeros, apart from each other, taken back and lent again', () => {
  const scratch = new Scratch();
  const first = scratch.lend((take) => {
    const [a, b] = [take(Float64Array, 5000), take(Uint8Array, 9000)];
    assert.notEqual(a.buffer, b.buffer);
    assert.deepEqual([a.length, b.length], [5000, 9000]);
    a.fill(7);
    b.fill(9);
    return scratch.lend((inner) => {
      const c = inner(Int32Array, 4000);
      assert.ok(c.buffer !== a.buffer && c.buffer !== b.buffer);
      return [a.buffer, c.fill(1).buffer];
    });
  });
  scratch.lend((take) => {
    const again = take(Int32Array, 10_000);
    assert.equal(again.buffer, first[0]);
    assert.ok(again.every((value) => value === 0));
    // The smallest that is large enough.
    assert.equal(take(Uint16Array, 6000).buffer, first[1]);
  });
  assert.throws(() => scratch.lend((take) => take(Int32Array, -1)), RangeError);
  assert.throws(
    () =>
      scratch.lend((take) => {
        take(Float64Array, 5000);
        throw new Error('mine');
      }),
    /mine/,
  );
  scratch.lend((take) => assert.equal(take(Float64Array, 5000).buffer, first[0]));
});

test('what a table shows and what it leaves out are all of the rows', () => {
  const profile = buildProfile(smallBuild().samples, smallBuild());
  for (const by of /** @type {const} */ (['symbol', 'crate', 'phase', 'phase,symbol', 'thread']))
    for (const sort of /** @type {const} */ (['self', 'total']))
      for (const limit of [0, 1, 2, 100]) {
        const all = profile.hotspots({ by, sort });
        const { shown, rest, isEmpty } = profile.topHotspots({ by, sort, limit });
        assert.deepEqual(shown, profile.hotspots({ by, sort, limit }));
        const hidden = all.slice(limit).filter(({ self }) => sort === 'total' || self > 0);
        assert.equal(rest.count, hidden.length);
        const share = hidden.reduce((sum, { selfShare }) => sum + selfShare, 0);
        assert.ok(Math.abs(rest.selfShare - share) < 1e-9);
        assert.equal(isEmpty, false);
      }
  assert.equal(profile.topHotspots({ filter: /nothing like it/ }).isEmpty, true);
  const few = profile.topHotspots({ percentLimit: 30 });
  assert.deepEqual(few.shown, profile.hotspots({ percentLimit: 30 }));
});
