'use strict';
// How good the profile is, at the top of the page: what was lost, cut or guessed, and the warnings with
// what mends each.

const { make } = require('./dom.js');
const { count, percent, time } = require('./format.js');

/**
 * @param {import('./types').Quality} quality
 * @returns {{text: string, isBad: boolean}[]}
 */
function factsOf(quality) {
  const { samples, lost, throttled, truncated, broken, guessed, unnamedLeaf } = quality;
  const share = (/** @type {number} */ part) => (samples > 0 ? part / samples : 0);
  const some = (/** @type {number} */ value, /** @type {string} */ text, least = 0.01) =>
    value > 0 ? [{ text, isBad: share(value) >= least }] : [];
  return [
    {
      text: `${percent(quality.completeShare)} of the stacks complete`,
      isBad: samples > 0 && quality.completeShare < 0.95,
    },
    { text: `${count(lost)} lost`, isBad: lost > 0 },
    ...some(truncated, `${count(truncated)} truncated`),
    ...some(broken, `${count(broken)} broken`),
    ...some(guessed, `${percent(share(guessed))} with a guessed caller`, 0.05),
    ...some(unnamedLeaf, `${percent(share(unnamedLeaf))} end without a symbol`, 0.1),
    ...some(throttled, `throttled ${count(throttled)} times`, 0),
    { text: `profiler's own CPU ${time(quality.cost.cpuMs)}`, isBad: false },
  ];
}

/**
 * @param {HTMLElement} root
 * @param {import('./types').Quality} quality
 */
function showQuality(root, quality) {
  const { warnings, byObject, samples } = quality;
  const isEmpty = samples === 0;
  const facts = isEmpty ? [{ text: 'no samples', isBad: true }] : factsOf(quality);
  const chips = facts.map(({ text, isBad }) => make('span', { class: isBad ? 'bad' : '', text }));
  const broken = byObject.filter((row) => row.broken > 0);
  const items = [
    ...warnings.map(({ message, fix }) =>
      make('li', {}, [message, ...(fix ? [' ', make('code', { text: fix })] : [])]),
    ),
    ...broken.map((row) =>
      make('li', {
        text: `${row.object}: ${count(row.broken)} of ${count(row.samples)} stacks broken (${row.reason})`,
      }),
    ),
  ];
  if (items.length === 0) {
    root.replaceChildren(make('p', { class: 'facts' }, chips));
    return;
  }
  const word = warnings.length === 1 ? '1 warning' : `${warnings.length} warnings`;
  if (warnings.length > 0) chips.push(make('span', { class: 'warn', text: word }));
  const summary = make('summary', { class: 'facts' }, chips);
  root.replaceChildren(make('details', {}, [summary, make('ul', {}, items)]));
}

module.exports = { factsOf, showQuality };
