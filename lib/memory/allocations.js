'use strict';
// V8's sampling heap profile (a tree of call frames with the bytes allocated in each) as a table: bytes by
// function, its own and with all it called.

/** @typedef {import('../index').AllocationRow} AllocationRow */
/** @typedef {{callFrame: {functionName: string, url: string, lineNumber: number, columnNumber: number},
 *    selfSize: number, children: HeapNode[]}} HeapNode the inspector's HeapProfiler.SamplingHeapProfileNode */

/** Rows that are kept: the rest are far below a per cent each. */
const MOST_ROWS = 500;

/** @param {HeapNode['callFrame']} frame */
const keyOf = ({ functionName, url, lineNumber, columnNumber }) =>
  [functionName, url, lineNumber, columnNumber].join('\0');

/**
 * @param {HeapNode} head
 * @returns {AllocationRow[]} by their own bytes, the most first
 */
function allocationsOf(head) {
  /** @type {Map<string, AllocationRow>} */
  const rows = new Map();
  /** How often each function is on the path. @type {Map<string, number>} */
  const open = new Map();
  /** @typedef {{node: HeapNode, key: string, next: number, bytes: number}} Step */
  /** @type {Step[]} no recursion: a stack may be thousands of frames */
  const path = [];
  const enter = (/** @type {HeapNode} */ node) => {
    const key = keyOf(node.callFrame);
    const { functionName, url, lineNumber, columnNumber } = node.callFrame;
    if (!rows.has(key)) {
      rows.set(key, {
        symbol: functionName || '(anonymous)',
        file: url.replace(/^file:\/\//, ''),
        line: url === '' ? 0 : lineNumber + 1,
        column: url === '' ? 0 : columnNumber + 1,
        selfBytes: 0,
        totalBytes: 0,
      });
    }
    /** @type {AllocationRow} */ (rows.get(key)).selfBytes += node.selfSize;
    open.set(key, (open.get(key) ?? 0) + 1);
    path.push({ node, key, next: 0, bytes: node.selfSize });
  };
  enter(head);
  while (path.length > 0) {
    const step = path[path.length - 1];
    if (step.next < step.node.children.length) {
      enter(step.node.children[step.next++]);
      continue;
    }
    path.pop();
    const depth = (open.get(step.key) ?? 1) - 1;
    open.set(step.key, depth);
    // A function that is on the path once more has these bytes from there.
    if (depth === 0) /** @type {AllocationRow} */ (rows.get(step.key)).totalBytes += step.bytes;
    if (path.length > 0) path[path.length - 1].bytes += step.bytes;
  }
  return [...rows.values()]
    .filter(
      ({ symbol, selfBytes, totalBytes }) => symbol !== '(root)' && selfBytes + totalBytes > 0,
    )
    .sort((a, b) => b.selfBytes - a.selfBytes || b.totalBytes - a.totalBytes)
    .slice(0, MOST_ROWS);
}

/** @param {AllocationRow[]} rows */
const allocatedBytes = (rows) => rows.reduce((sum, { selfBytes }) => sum + selfBytes, 0);

module.exports = { allocationsOf, allocatedBytes };
