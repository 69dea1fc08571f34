'use strict';
// Reads the closing lines of the test runners out of their output. Pure.
// Knows cmocka 1.1 (one closing per test program) and node:test of node 20 to 26 (spec and tap).

/**
 * @typedef {object} Totals
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} skips the runner's line for each skipped test, with its reason if it has one
 */

/** Characters of an error that stand beside the name of a test. */
const MAX_WHY = 300;

/** @param {string} text @returns {string} without the terminal's colours */
function plain(text) {
  // eslint-disable-next-line no-control-regex -- ESC is what a colour starts with
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

/**
 * @param {string} output
 * @param {RegExp} pattern global, with the number as its first group
 */
function sum(output, pattern) {
  return [...output.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);
}

/**
 * @param {string} text
 * @returns {string[]} a line for each skipped test; the reason is what the test printed last
 */
function cmockaSkips(text) {
  // "RUN" stands before it in the run, and not in the list at the end that repeats the names.
  const pattern = /^\[ RUN +\] (.+)\n((?:(?!\[).*\n)*)\[ +SKIPPED +\] \1$/gm;
  return [...text.matchAll(pattern)].map(([, name, said]) => {
    const reason = said.trim().split('\n').at(-1);
    return reason ? `${name}: ${reason}` : name;
  });
}

/**
 * @param {string} output of one or more cmocka programs
 * @returns {Totals}
 */
function cmockaTotals(output) {
  const text = plain(output);
  return {
    passed: sum(text, /^\[ +PASSED +\] (\d+) test\(s\)/gm),
    failed: sum(text, /^\[ +FAILED +\] (\d+) test\(s\)/gm),
    skipped: sum(text, /^\[ +SKIPPED +\] (\d+) test\(s\)/gm),
    skips: cmockaSkips(text),
  };
}

/**
 * @param {string} output of node --test
 * @returns {Totals}
 */
function nodeTotals(output) {
  const text = plain(output);
  /** @param {string} what */
  const count = (what) => sum(text, new RegExp(`^(?:#|ℹ) ${what} (\\d+)$`, 'gm'));
  return {
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    skipped: count('skipped') + count('todo'),
    skips: text.match(/^\s*(?:﹣.*#|ok \d+ .*# SKIP).*$/gm)?.map((line) => line.trim()) ?? [],
  };
}

/**
 * @typedef {object} Failures
 * @property {string[]} targets what to run again: test files, or test programs
 * @property {string[]} names the failed tests, with the beginning of why where the runner says it
 * @property {number} parents others that it may count: those that failed by their subtests alone
 */

/**
 * @param {string} output of `make check`, which names each program in a line before it runs
 * @returns {Failures}
 */
function cmockaFailures(output) {
  const runs = plain(output)
    .split(/^# (?=\S+$)/m)
    .slice(1);
  const failed = runs.filter(
    (run) => !/^\[ +PASSED +\]/m.test(run) || /^\[ +FAILED +\]/m.test(run),
  );
  const targets = failed.map((run) => run.slice(0, run.indexOf('\n')));
  const names = failed.flatMap((run, index) => {
    const own = [...run.matchAll(/^\[ +FAILED +\] (?!\d+ test)(\S.*)$/gm)].map(([, name]) => name);
    return own.length > 0 ? [...new Set(own)] : [targets[index]];
  });
  return { targets, names, parents: 0 };
}

/**
 * @param {string} output of node --test with its spec reporter; node 18 names no files: nothing then
 * @returns {Failures}
 */
function nodeFailures(output) {
  const [tree, list = ''] = plain(output).split(/^✖ failing tests:$/m);
  const pattern = /^test at (\S+):\d+:\d+\n✖ (.+?)(?: \([\d.]+ms\))?\n(?: +(.*))?/gm;
  const found = [...list.matchAll(pattern)];
  return {
    targets: [...new Set(found.map(([, file]) => file))],
    names: found.map(([, , name, why]) => (why ? `${name}: ${why.slice(0, MAX_WHY)}` : name)),
    // Who has subtests is shown before them and again behind them.
    parents: (tree.match(/^( *)▶ (.+)\n(?:\1 .*\n|\n)*\1✖ \2 \([\d.]+ms\)$/gm) ?? []).length,
  };
}

module.exports = { cmockaFailures, cmockaTotals, nodeFailures, nodeTotals };
