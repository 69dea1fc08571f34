'use strict';
// rspack-prof export: a profile in another tool's format. The formats and their options are those of
// lib/export/formats.js: what profile.write() takes as `perCpuThreads` is --per-cpu-threads here.

const path = require('node:path');
const { UsageError, choiceOf, numberOf, textOf } = require('./args.js');
const { openProfile, untilSignal, writeResult } = require('./files.js');
const { say } = require('./say.js');
const { convert, notesOf } = require('../export/index.js');
const { writeFolder } = require('../export/files.js');
const { FORMATS } = require('../export/formats.js');
const { FILTERS } = require('../profile/subset.js');

/** @typedef {import('../export/formats').OptionRule} OptionRule */
/** @typedef {import('./args.js').OptionSpec} OptionSpec */

const flagOf = (/** @type {string} */ name) =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Each format's own options; no two formats have one of the same name. */
const OWN = Object.entries(FORMATS).flatMap(([format, { options = {} }]) =>
  Object.entries(options).map(([name, rule]) => ({ format, name, rule, flag: flagOf(name) })),
);

/** @type {Record<string, OptionSpec>} */
const ownSpecs = Object.fromEntries(
  OWN.map(({ format, flag, rule }) => [
    flag,
    {
      type: rule.type === 'boolean' ? 'boolean' : 'string',
      ...(rule.value && { value: rule.value }),
      help: `${format}: ${rule.help}`,
    },
  ]),
);

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'export',
  summary: 'write a profile in another format',
  usage: '[FILE] --to FORMAT [-o OUT]',
  positionals: [0, 1],
  options: {
    to: { type: 'string', value: 'FORMAT', help: 'the format: see below' },
    output: { type: 'string', short: 'o', value: 'OUT', help: "file to write, '-' is stdout" },
    event: { type: 'string', short: 'e', value: 'NAME', help: 'of several events, which' },
    phase: { type: 'string', value: 'NAME', help: 'only samples of this phase' },
    thread: { type: 'string', value: 'NAME', help: 'only this thread: its name, id or name/id' },
    through: { type: 'string', value: 'REGEX', help: 'only stacks with such a function' },
    time: { type: 'string', value: 'FROM,TO', help: 'only this range, in seconds from the start' },
    state: {
      type: 'string',
      value: 'STATE',
      help: 'of a recording of waits: waiting, blocked, ..',
    },
    idle: { type: 'boolean', help: 'idle pools too' },
    ...ownSpecs,
  },
  choices: Object.fromEntries(Object.entries(FORMATS).map(([name, { what }]) => [name, what])),
  notes: [
    'FILE is the newest profile below .rspack-prof/ unless given.',
    'parquet and perf.data are several files: they take no -o -.',
  ],
};

/**
 * @param {import('./args.js').Parsed} parsed
 * @param {string} format
 * @param {import('./main.js').World} world
 * @returns {Record<string, unknown>}
 */
function optionsOf(parsed, format, world) {
  /** @type {Record<string, unknown>} */
  const options = {};
  for (const { format: owner, name, flag, rule } of OWN) {
    if (parsed.values[flag] === undefined) continue;
    if (owner !== format) {
      throw new UsageError(`--${flag} belongs to --to ${owner}, not to --to ${format}`);
    }
    options[name] = valueOf(parsed, flag, rule, world);
  }
  for (const name of FILTERS) {
    options[name] =
      spec.options[name].type === 'boolean' ? parsed.values[name] : textOf(parsed, name);
  }
  return options;
}

/**
 * @param {import('./args.js').Parsed} parsed
 * @param {string} flag
 * @param {OptionRule} rule
 * @param {import('./main.js').World} world
 */
function valueOf(parsed, flag, { type, oneOf, min = 0 }, { cwd }) {
  if (type === 'boolean') return true;
  if (type === 'number') return numberOf(parsed, flag, { least: min });
  if (type === 'profile') return openProfile(textOf(parsed, flag), cwd);
  return oneOf ? choiceOf(parsed, flag, oneOf) : textOf(parsed, flag);
}

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const known = Object.keys(FORMATS);
  const format = choiceOf(parsed, 'to', known);
  if (format === undefined) throw new UsageError(`--to is missing: one of ${known.join(', ')}`);
  const output = textOf(parsed, 'output');
  const options = { ...optionsOf(parsed, format, world), event: textOf(parsed, 'event') };
  const profile = openProfile(parsed.positionals[0], world.cwd);
  const made = convert(profile, format, options, output ?? '');
  const { pieces, folder, beside } = made;
  if ((folder || beside) && (output === undefined || output === '-')) {
    throw new UsageError(`--to ${format} writes several files: say where with -o OUT`);
  }
  const target = path.resolve(world.cwd, output ?? '');
  if (folder) await untilSignal(async () => writeFolder(target, folder));
  else await writeResult(pieces ?? [], output, world, beside);
  for (const note of notesOf(made, target)) say(world, note);
  return 0;
}

module.exports = { run, spec };
