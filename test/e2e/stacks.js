'use strict';
// Stacks of a profile, root first, as the end-to-end tests ask about them.

const KINDS = ['rust', 'js', 'native', 'v8', 'kernel', 'unknown'];

/** @typedef {{ name: string, kind: string }} Frame */

/**
 * @param {import('../../lib/profile/profile').Profile} profile
 * @param {(stack: Frame[]) => boolean} wanted
 * @returns {Frame[] | undefined} the first stack that is wanted
 */
function findStack(profile, wanted) {
  const { raw } = profile;
  const frames = Array.from(raw.funcs.name, (name, i) => ({
    name: raw.strings[name],
    kind: KINDS[raw.funcs.kind[i]],
  }));
  const seen = new Set();
  for (const leaf of raw.samples.node) {
    if (seen.has(leaf)) continue;
    seen.add(leaf);
    const stack = [];
    for (let node = leaf; node > 0; node = raw.nodes.parent[node]) {
      stack.push(frames[raw.nodes.func[node]]);
    }
    stack.reverse();
    if (wanted(stack)) return stack;
  }
  return undefined;
}

/**
 * Whether the stack has frames that fit these, in this order, with anything between.
 * @param {Frame[]} stack
 * @param {((frame: Frame) => boolean)[]} tests
 */
function hasInOrder(stack, tests) {
  let next = 0;
  for (const frame of stack) if (next < tests.length && tests[next](frame)) next += 1;
  return next === tests.length;
}

module.exports = { findStack, hasInOrder };
