'use strict';
// What the rules ask about a profile's columns: which rspack binding was loaded, and which share of
// the weight passed through functions whose name matches. Reads columns, changes nothing.

const { MODULE } = require('../profile/flags.js');
const { isBinding } = require('../rspack-binding.js');

/** @typedef {import('../profile/raw').RawProfile} RawProfile */

/** The event where perf events are refused (src/perf/cputimer.h). */
const TIMERS = 'cpu-timer';

/**
 * @param {RawProfile} raw
 * @returns {{ file: string, symbols: boolean } | null} the binding that was loaded
 */
function bindingOf({ modules, strings }) {
  for (let i = 0; i < modules.path.length; i++) {
    const file = strings[modules.path[i]];
    if (isBinding(file)) {
      return { file, symbols: (modules.flags[i] & MODULE.HAS_SYMBOLS) !== 0 };
    }
  }
  return null;
}

/**
 * @param {RawProfile} raw
 * @param {string} word part of a function's name
 * @returns {number} 0 to 1: the share of the weight with such a function anywhere in the stack
 */
function shareThrough({ strings, funcs, nodes, samples }, word) {
  // Each string is searched once, however many functions and nodes have it.
  const stringHas = strings.map((text) => text.includes(word));
  const through = new Uint8Array(nodes.parent.length);
  // A parent stands before its children.
  for (let node = 1; node < through.length; node++) {
    const own = stringHas[funcs.name[nodes.func[node]]];
    through[node] = own || through[nodes.parent[node]] === 1 ? 1 : 0;
  }
  let all = 0;
  let matching = 0;
  for (let i = 0; i < samples.node.length; i++) {
    all += samples.weight[i];
    if (through[samples.node[i]] === 1) matching += samples.weight[i];
  }
  return all > 0 ? matching / all : 0;
}

/**
 * @param {RawProfile} raw
 * @param {string} file of a module
 * @returns {number} 0 to 1: the share of the weight whose leaf is in it
 */
function shareIn({ strings, modules, funcs, nodes, samples }, file) {
  let all = 0;
  let matching = 0;
  for (let i = 0; i < samples.node.length; i++) {
    const func = nodes.func[samples.node[i]];
    const module = func < 0 ? -1 : funcs.module[func];
    all += samples.weight[i];
    if (module >= 0 && strings[modules.path[module]] === file) matching += samples.weight[i];
  }
  return all > 0 ? matching / all : 0;
}

module.exports = { TIMERS, bindingOf, shareIn, shareThrough };
