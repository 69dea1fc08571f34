'use strict';
// Reads a command's arguments by node's util.parseArgs.
// Refuses what it does not know: an unknown flag is an error with the nearest name, never ignored.

const { parseArgs } = require('node:util');
const { percentOf } = require('../check-options.js');
const { nearMatches } = require('../errors.js');

/**
 * @typedef {object} OptionSpec
 * @property {'string' | 'boolean'} type
 * @property {string} [short] one letter
 * @property {string} [value] what stands for the value in the help: HZ, FILE
 * @property {string} help
 *
 * @typedef {object} CommandSpec
 * @property {string} name
 * @property {string} summary one line
 * @property {string} usage what follows the command's name
 * @property {Record<string, OptionSpec>} options
 * @property {[number, number]} positionals least and most
 * @property {boolean} [passThrough] what follows the options (or `--`) is another's command line
 * @property {Record<string, string>} [choices] words that an option takes, and what they stand for
 * @property {string[]} [notes] paragraphs below the options
 *
 * @typedef {object} Parsed
 * @property {Record<string, string | boolean | undefined>} values
 * @property {string[]} positionals
 */

/** What the command line ends with on a wrong call: exit code 2. */
class UsageError extends Error {
  /**
   * @param {string} message one line saying what to do
   * @param {string} [code]
   */
  constructor(message, code = 'ERR_PROF_BAD_OPTION') {
    super(message);
    this.code = code;
    this.exitCode = 2;
  }
}

/**
 * @param {string} what "unknown option"
 * @param {string} word
 * @param {readonly string[]} known
 * @param {string} help where to read on
 */
function unknown(what, word, known, help) {
  const [near] = nearMatches(word, known);
  return new UsageError(
    `${what} '${word}'${near ? `: did you mean '${near}'?` : `: see '${help}'`}`,
  );
}

/**
 * @param {CommandSpec} spec
 * @returns {NonNullable<import('node:util').ParseArgsConfig['options']>}
 */
function parserOptions(spec) {
  /** @type {NonNullable<import('node:util').ParseArgsConfig['options']>} */
  const options = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type, short }] of Object.entries(spec.options)) {
    options[name] = short ? { type, short } : { type };
  }
  return options;
}

/**
 * Splits `[-F 99] node -p 1` or `[-F 99] -- node -p 1` where the other command begins.
 * @param {string[]} argv
 * @param {NonNullable<import('node:util').ParseArgsConfig['options']>} options
 */
function splitCommand(argv, options) {
  const { tokens } = parseArgs({
    args: argv,
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'option') continue;
    const skip = token.kind === 'option-terminator' ? 1 : 0;
    return { own: argv.slice(0, token.index), command: argv.slice(token.index + skip) };
  }
  return { own: argv, command: [] };
}

/**
 * @param {unknown} error from util.parseArgs
 * @param {CommandSpec} spec
 */
function explain(error, spec) {
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
  const help = `rspack-prof ${spec.name} --help`;
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const flag = /'(-[^']*)'/.exec(message)?.[1] ?? '';
    const known = [...Object.keys(spec.options), 'help'].map((name) => `--${name}`);
    return unknown('unknown option', flag, known, help);
  }
  const ambiguous = /(--[\w-]+)[^']*' argument is ambiguous/.exec(message)?.[1];
  if (ambiguous) {
    return new UsageError(
      `${ambiguous} takes a value; one that starts with '-' is written ${ambiguous}=VALUE`,
    );
  }
  // node's own words are good, but there may be several lines of them.
  if (code?.startsWith('ERR_PARSE_ARGS_')) return new UsageError(message.split('\n')[0]);
  return error;
}

/**
 * `--limit -1` as `--limit=-1`: a number can only be meant as the value, and is refused as one.
 * @param {CommandSpec} spec
 * @param {string[]} argv
 */
function joinNegative({ options }, argv) {
  /** @type {string[]} */
  const joined = [];
  for (const word of argv) {
    const before = joined.at(-1) ?? '';
    const takes = Object.entries(options).find(
      ([name, { short }]) => before === `--${name}` || (short && before === `-${short}`),
    );
    if (takes?.[1].type === 'string' && /^-\d/.test(word)) {
      joined[joined.length - 1] = `--${takes[0]}=${word}`;
    } else {
      joined.push(word);
    }
  }
  return joined;
}

/**
 * @param {CommandSpec} spec
 * @param {string[]} argv what follows the command's name
 * @returns {Parsed}
 */
function parse(spec, argv) {
  const options = parserOptions(spec);
  const { own, command } = spec.passThrough
    ? splitCommand(argv, options)
    : { own: argv, command: /** @type {string[]} */ ([]) };
  let parsed;
  try {
    parsed = parseArgs({ args: joinNegative(spec, own), options, allowPositionals: true });
  } catch (error) {
    throw explain(error, spec);
  }
  const values = /** @type {Parsed['values']} */ (parsed.values);
  const positionals = spec.passThrough ? command : parsed.positionals;
  if (values.help) return { values, positionals };
  const [least, most] = spec.positionals;
  if (positionals.length < least || positionals.length > most) {
    throw new UsageError(`usage: rspack-prof ${spec.name} ${spec.usage}`);
  }
  return { values, positionals };
}

/**
 * @param {Parsed} parsed
 * @param {string} name
 * @param {{ least: number, most?: number, whole?: boolean }} range
 * @returns {number | undefined}
 */
function numberOf({ values }, name, { least, most = Infinity, whole = false }) {
  const text = values[name];
  if (typeof text !== 'string') return undefined;
  const number = text.trim() === '' ? NaN : Number(text);
  if (!(number >= least && number <= most) || (whole && !Number.isInteger(number))) {
    const kind = whole ? 'a whole number' : 'a number';
    const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new UsageError(`--${name} takes ${kind} ${range}, not '${text}'`);
  }
  return number;
}

/**
 * A share in per cent, `2` and `2%`.
 * @param {Parsed} parsed
 * @param {string} name
 * @param {{ least: number, most: number }} range
 * @returns {number | undefined}
 */
function shareOf(parsed, name, { least, most }) {
  const text = textOf(parsed, name);
  if (text === undefined) return undefined;
  const share = percentOf(text);
  if (typeof share === 'number' && share >= least && share <= most) return share;
  throw new UsageError(
    `--${name} takes a share like 2 or '2%', from ${least} to ${most} %, not '${text}'`,
  );
}

/**
 * @param {Parsed} parsed
 * @param {string} name
 * @returns {string | undefined}
 */
function textOf({ values }, name) {
  const text = values[name];
  return typeof text === 'string' ? text : undefined;
}

/**
 * @param {Parsed} parsed
 * @param {string} name
 * @param {readonly string[]} known
 * @returns {string | undefined}
 */
function choiceOf(parsed, name, known) {
  const text = textOf(parsed, name);
  if (text === undefined || known.includes(text)) return text;
  const [near] = nearMatches(text, known);
  const words = known.join(', ');
  throw new UsageError(
    `--${name} takes one of ${words}, not '${text}'${near ? ` (did you mean '${near}'?)` : ''}`,
  );
}

/**
 * @param {Parsed} parsed
 * @param {string} name
 * @returns {RegExp | undefined}
 */
function regexOf(parsed, name) {
  const text = textOf(parsed, name);
  if (text === undefined) return undefined;
  try {
    return new RegExp(text);
  } catch {
    throw new UsageError(`--${name} '${text}' is no regular expression`);
  }
}

module.exports = {
  UsageError,
  choiceOf,
  numberOf,
  parse,
  regexOf,
  shareOf,
  textOf,
  unknown,
};
