'use strict';
// hyparquet-writer, an ES module: loaded when the first table is written, since old nodes cannot require it.

const { ProfError } = require('../errors.js');

/** @returns {typeof import('hyparquet-writer')} */
function loadWriter() {
  try {
    return require('hyparquet-writer');
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'ERR_REQUIRE_ESM') throw error;
    throw new ProfError(
      'ERR_PROF_UNSUPPORTED_PLATFORM',
      `parquet needs node 20.19, 22.12 or later, and this is ${process.version}: export there`,
      { cause: error },
    );
  }
}

module.exports = { loadWriter };
