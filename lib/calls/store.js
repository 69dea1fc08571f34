'use strict';
// A trace on disk: a folder with events.bin (written while the command runs), functions.json (before it
// begins, so that a trace which was cut off can be read) and trace.json (the summary, at the end); where they
// were asked for, spans.json (of JavaScript) and stacks.json.gz (a profile).

const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('../errors.js');

const EVENTS = 'events.bin';
const FUNCTIONS = 'functions.json';
const SUMMARY = 'trace.json';
const SPANS = 'spans.json';
const STACKS = 'stacks.json.gz';
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * @typedef {object} Functions functions.json; a function's id is its place
 * @property {1} schema
 * @property {string} command
 * @property {number} startUnixMs
 * @property {number} startNs of CLOCK_MONOTONIC, as the events' times
 * @property {string[]} objects
 * @property {{ name: string, object: number, address: number, size: number, callsOnly: boolean, mayLeaveUnseen: boolean, role?: number }[]} functions
 */

/** @param {unknown} error @param {string} file */
function cannotWrite(error, file) {
  const { code, errno, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
  return new ProfError(
    'ERR_PROF_BAD_FILE',
    `cannot write ${file} (${code}): name a writable place with -o`,
    { errno, syscall, cause: error },
  );
}

/**
 * @param {string} folder that is not there yet
 */
function makeFolder(folder) {
  try {
    fs.mkdirSync(path.dirname(folder), { recursive: true });
    if (fs.lstatSync(path.dirname(folder)).isSymbolicLink()) {
      throw Object.assign(new Error(), { code: 'ELOOP' });
    }
    fs.mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (error) {
    throw cannotWrite(error, folder);
  }
}

/** Of a trace that did not begin. @param {string} folder */
const abandonFolder = (folder) => fs.rmSync(folder, { recursive: true, force: true });

/** @param {string} folder @param {string} name @param {unknown} value */
function writeJson(folder, name, value) {
  const file = path.join(folder, name);
  try {
    fs.writeFileSync(file, `${JSON.stringify(value)}\n`, { mode: FILE_MODE, flag: 'wx' });
  } catch (error) {
    // Half a file is worse than none; one that was there is not ours.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST')
      fs.rmSync(file, { force: true });
    throw cannotWrite(error, file);
  }
}

/**
 * @param {string} folder
 * @param {import('./native').NativeFunctions} functions
 * @param {{ command: string, startUnixMs: number, startNs: number }} about
 */
function writeFunctions(folder, functions, { command, startUnixMs, startNs }) {
  writeJson(folder, FUNCTIONS, {
    schema: 1,
    command,
    startUnixMs,
    startNs,
    objects: functions.objects,
    functions: functions.name.map((name, i) => ({
      name,
      object: functions.object[i],
      address: functions.address[i],
      size: functions.size[i],
      callsOnly: functions.callsOnly[i] === 1,
      mayLeaveUnseen: functions.mayLeaveUnseen[i] === 1,
      ...(functions.role[i] > 0 && { role: functions.role[i] }),
    })),
  });
}

/** @param {any} read whatever stood in the file @returns {read is Functions} */
function isFunctions(read) {
  const { objects, functions, command, startUnixMs, startNs } = read ?? {};
  return (
    typeof command === 'string' &&
    [startUnixMs, startNs].every((time) => Number.isFinite(time)) &&
    Array.isArray(objects) &&
    objects.every((one) => typeof one === 'string') &&
    Array.isArray(functions) &&
    functions.every(
      (one) =>
        typeof one?.name === 'string' && Number.isInteger(one.object) && one.object in objects,
    )
  );
}

/**
 * @param {string} folder
 * @returns {Functions}
 */
function readFunctions(folder) {
  const file = path.join(folder, FUNCTIONS);
  let read;
  let cause;
  try {
    read = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    cause = error;
  }
  if (isFunctions(read)) return read;
  throw new ProfError(
    'ERR_PROF_BAD_FILE',
    `${folder} holds no trace: ${FUNCTIONS} cannot be read; name the folder that 'trace' wrote`,
    { cause },
  );
}

/**
 * @param {string} folder
 * @returns {import('./summary').Summary | null} null: the trace was cut off before it was written
 */
function readSummary(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, SUMMARY), 'utf8'));
  } catch {
    return null;
  }
}

/**
 * @typedef {{ schema: 1, pid: number, command: string } & import('./spans/index').Spans} ProcessSpans
 * @param {string} folder
 * @returns {ProcessSpans[]} of each process that had any
 */
function readSpans(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, SPANS), 'utf8')).processes;
  } catch {
    return []; // none were asked for
  }
}

/** @param {string} folder @param {ProcessSpans[]} processes */
const writeSpans = (folder, processes) => writeJson(folder, SPANS, { schema: 1, processes });

/** @param {string} folder */
const stacksFile = (folder) => path.join(folder, STACKS);

/** @param {string} folder @param {import('./summary').Summary} summary */
const writeSummary = (folder, summary) => writeJson(folder, SUMMARY, summary);

/** @param {string} folder */
const eventsFile = (folder) => path.join(folder, EVENTS);

module.exports = {
  abandonFolder,
  eventsFile,
  makeFolder,
  readFunctions,
  readSpans,
  readSummary,
  stacksFile,
  writeFunctions,
  writeSpans,
  writeSummary,
};
