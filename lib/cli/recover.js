'use strict';
// rspack-prof recover: the journals of builds that were killed or crashed -> profiles. Without -o each
// becomes what the build would have written, in the same folder, and the journal is removed.

const fs = require('node:fs');
const path = require('node:path');
const { textOf } = require('./args.js');
const { writeResult } = require('./files.js');
const { say, sayError } = require('./say.js');
const { ProfError, fromNative } = require('../errors.js');
const { FOLDER, shownPath } = require('../folder.js');
const journals = require('../journal.js');

/** @typedef {import('./main.js').World} World */

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'recover',
  summary: 'make profiles of builds that crashed or were killed',
  usage: '[FOLDER | JOURNAL] [-o FILE]',
  positionals: [0, 1],
  options: {
    output: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      help: 'write the profile alone there, and keep the journal',
    },
  },
  notes: [
    `A build keeps a journal in ${FOLDER}/<time>-<pid>/ while it is recorded. Without FOLDER, all that ` +
      `lie below ${FOLDER}/ here are recovered.`,
  ],
};

/**
 * @param {string | undefined} given
 * @param {World} world
 * @returns {string[]} files
 */
function find(given, world) {
  const start = path.resolve(world.cwd, given ?? FOLDER);
  const stat = fs.statSync(start, { throwIfNoEntry: false });
  if (given !== undefined && !stat) {
    throw new ProfError('ERR_PROF_BAD_FILE', `cannot read ${given}: it is not there`);
  }
  if (stat && !stat.isDirectory()) return [start];
  const inside = path.join(start, journals.FILE);
  if (fs.existsSync(inside)) return [inside];
  const native = world.loadNative();
  const files = journals.leftovers(start, native);
  // A project's folder stands for what is in it.
  const nested = files.length > 0 ? files : journals.leftovers(path.join(start, FOLDER), native);
  if (nested.length > 0) return nested;
  throw new ProfError(
    'ERR_PROF_BAD_FILE',
    `no journal of a build that has ended in ${given ?? `${FOLDER}/`}: nothing to recover`,
  );
}

/**
 * All files in the journal's place; out of the folder of a `record` that is gone.
 * @param {import('../profile/profile').Profile} profile
 * @param {string} file
 */
function publish(profile, file) {
  const folder = require('../output.js').writeRecovered(profile, path.dirname(file));
  fs.rmSync(file, { force: true });
  const recording = path.dirname(folder);
  if (!journals.RECORDING.test(path.basename(recording))) return folder;
  const target = path.join(path.dirname(recording), path.basename(folder));
  fs.renameSync(folder, target);
  try {
    fs.rmdirSync(recording);
  } catch {
    // Another process's journal or profile is in it still.
  }
  return target;
}

/**
 * @param {string} file
 * @param {string | undefined} output
 * @param {World} world
 */
async function recoverOne(file, output, world) {
  const { exitTable } = require('../exit-table.js');
  const profile = journals.recoverJournal(world.loadNative(), file);
  if (output !== undefined) {
    const { firefoxFile } = require('../export/firefox.js');
    await writeResult(firefoxFile(profile, { gzip: output.endsWith('.gz') }), output, world);
    if (output === '-') return;
  }
  world.stdout.write(exitTable(profile)({ stream: world.stdout }));
  if (output !== undefined) {
    say(world, `${output} is written, ${shownPath(file, world.cwd)} is kept`);
    return;
  }
  const folder = publish(profile, file);
  say(world, `recovered to ${shownPath(folder, world.cwd)}${path.sep}`);
}

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const files = find(parsed.positionals[0], world);
  const output = textOf(parsed, 'output');
  if (output !== undefined && files.length > 1) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `-o takes one profile and there are ${files.length} journals: name one (${files.at(-1)})`,
    );
  }
  let failed = 0;
  for (const file of files) {
    try {
      await recoverOne(file, output, world);
    } catch (thrown) {
      const error = fromNative(thrown);
      if (files.length === 1) throw error;
      failed += 1;
      sayError(world, error);
    }
  }
  return failed > 0 ? 1 : 0;
}

module.exports = { run, spec };
