'use strict';
// A trace in other tools' formats, beside it unless a place is given.

const path = require('node:path');
const { writeFolder, writeWhole } = require('../export/files.js');
const { parquetTrace } = require('./parquet.js');
const { perfettoTrace } = require('./perfetto.js');

/**
 * @param {string} folder of the trace
 * @param {import('./summary').Summary} summary
 * @param {string} format 'parquet' (a folder of tables) or 'perfetto' (a file)
 * @param {string} [output]
 * @returns {string} where it is
 */
function exportTrace(folder, summary, format, output) {
  if (format === 'parquet') {
    const target = output ?? path.join(folder, 'parquet');
    writeFolder(target, parquetTrace(folder));
    return target;
  }
  const target = output ?? path.join(folder, 'trace.pftrace');
  writeWhole(target, perfettoTrace(folder, summary));
  return target;
}

module.exports = { exportTrace };
