'use strict';
// What goes along with a trace of this very process: spans of its JavaScript, and a recording of the stacks
// at entries. (Of a command's processes companion.js does the same.)

const { ProfError } = require('../errors.js');
const { watchSpans } = require('./spans/index.js');
const { spanRows } = require('./spans/rows.js');
const { stacksFile, writeSpans } = require('./store.js');

class Beside {
  /**
   * @param {{ spans: boolean, filter: string | null, stacks?: number }} wanted
   * @param {number} entriesEvent 0: sleds have none
   * @param {string | null} folder
   */
  constructor({ spans, filter, stacks }, entriesEvent, folder) {
    this.folder = folder;
    this.period = stacks ?? 0;
    if (stacks && (entriesEvent === 0 || folder === null)) {
      throw new ProfError(
        'ERR_PROF_BAD_OPTION',
        folder === null
          ? "trace({ stacks }) needs output: a folder to keep the stacks' profile in"
          : "trace({ stacks }) takes probes: say method: 'probes', and run it as root",
      );
    }
    this.session = stacks
      ? require('../profiler.js').start({
          event: `calls@${entriesEvent}`,
          period: stacks,
          journal: false,
          quiet: true,
        })
      : null;
    this.watch = spans ? watchSpans(filter) : null;
  }

  /** @param {import('./summary').Summary} summary gets what was found */
  stop(summary) {
    const { folder, session } = this;
    if (this.watch) {
      const found = this.watch.stop();
      summary.spans = spanRows([found]);
      summary.warnings.push(...found.warnings);
      const about = { schema: /** @type {const} */ (1), pid: process.pid, ...found };
      if (folder) writeSpans(folder, [{ ...about, command: process.argv.join(' ') }]);
    }
    if (session && folder) {
      const profile = session.stopSync();
      const { samples, completeShare } = profile.quality;
      const file = stacksFile(folder);
      profile.write(file, { format: 'firefox' });
      summary.stacks = { file, period: this.period, samples, completeShare };
    }
  }
}

module.exports = { Beside };
