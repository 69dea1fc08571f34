'use strict';
// The cases by name: how many modules each has, from which templates, and who writes a module.

const { componentSource } = require('./component.js');
const { serviceSource } = require('./service.js');

/**
 * @typedef {object} Case
 * @property {number} modules components; the entry, its style and a library of helpers come on top
 * @property {string[]} templates folders of templates/, copied in this order
 * @property {typeof componentSource} source
 * @property {number} seed
 * @property {string} about
 */

/**
 * @param {number} modules
 * @returns {Case}
 */
function react(modules) {
  return {
    modules,
    templates: ['common', 'react'],
    source: componentSource,
    seed: 1,
    about: `${modules} React components through swc: nearly all of it Rust`,
  };
}

/** @type {Record<string, Case>} */
const CASES = {
  'react-100': react(100),
  'react-1k': react(1000),
  'react-5k': react(5000),
  'react-10k': react(10000),
  'babel-1k': {
    modules: 1000,
    templates: ['common', 'babel'],
    source: serviceSource,
    seed: 2,
    about: '1000 modules through babel-loader, down to ES2017: most of it JavaScript',
  },
  'hooks-1k': {
    modules: 1000,
    templates: ['common', 'hooks'],
    source: componentSource,
    seed: 3,
    about: '1000 React components with a JavaScript loader and a plugin on hot hooks',
  },
};

module.exports = { CASES };
