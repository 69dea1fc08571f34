'use strict';
// The smallest real build: one module. It is short, so that many runs fit into little time: node's start,
// the binding's, and one pass of everything.

const path = require('node:path');

/** @type {import('@rspack/core').Configuration} */
module.exports = {
  mode: 'production',
  context: __dirname,
  entry: './entry.js',
  output: { path: path.join(__dirname, '..', '..', '.cases', 'one', 'dist') },
};
