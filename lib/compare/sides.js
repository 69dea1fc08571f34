'use strict';
// The two sides of a comparison: which command with which binding. What cannot work is refused before
// anything runs.

const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('../errors.js');
const { gatherFacts, systemReader } = require('../doctor/facts.js');

/**
 * @typedef {object} Side
 * @property {import('./plan').SideName} name
 * @property {string} title what a person wrote: `RSPACK_BINDING=a.node rspack build`
 * @property {string[]} command
 * @property {NodeJS.ProcessEnv} env
 * @property {string | null} binding file that RSPACK_BINDING names; null: what the build loads by itself
 *
 * @typedef {object} Choice
 * @property {string[]} command what stands behind `--`; may be empty
 * @property {string} [base] a shell's line
 * @property {string} [candidate]
 * @property {string} [baseBinding]
 * @property {string} [candidateBinding]
 */

/**
 * How messages call what is chosen: as somebody types it, or as a program passes it.
 * @typedef {object} Wording
 * @property {(name: 'base' | 'candidate', isBinding?: boolean) => string} option
 * @property {string} command where the command of both stands
 * @property {string} cacheFolder that one is given for nothing
 */

/** @type {Wording} */
const COMMAND_LINE = {
  option: (name, isBinding) => `--${name}${isBinding ? '-binding' : ''}`,
  command: 'behind --',
  cacheFolder: '--cache-folder is for --cache cold',
};
/** @type {Wording} */
const OPTIONS = {
  option: (name, isBinding) => `option '${name}${isBinding ? 'Binding' : ''}'`,
  command: "as option 'command'",
  cacheFolder: "option 'cacheFolder' is for cache: 'cold'",
};

const usage = (/** @type {string} */ message) => new ProfError('ERR_PROF_BAD_OPTION', message);

/** @param {string} word as somebody would type it */
const quoted = (word) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;

/**
 * @param {string} file
 * @param {string} flag
 * @param {string} cwd
 */
function checkBinding(file, flag, cwd) {
  const full = path.resolve(cwd, file);
  const stat = fs.statSync(full, { throwIfNoEntry: false });
  if (!stat?.isFile()) throw usage(`${flag} ${file}: there is no such file`);
  const fd = fs.openSync(full, 'r');
  const magic = Buffer.alloc(4);
  fs.readSync(fd, magic, 0, 4, 0);
  fs.closeSync(fd);
  if (magic.toString('latin1') !== '\x7fELF')
    throw usage(`${flag} ${file}: it is no binding (no ELF)`);
  const { core, bindingVersion } = gatherFacts({ ...systemReader(), cwd });
  const version = bindingVersion(full);
  // A binding that was built by hand lies in no package, or in one of another kind: no version to hold.
  const isPackaged = /binding-[\w-]+$/.test(path.basename(path.dirname(full)));
  if (core && isPackaged && version !== null && version !== core.version) {
    throw usage(
      `${flag} is a binding of ${version} and @rspack/core here is ${core.version}: ` +
        'rspack loads only its own version',
    );
  }
  return full;
}

/**
 * @param {Choice} choice
 * @param {{ env: NodeJS.ProcessEnv, cwd: string }} world
 * @param {Wording} wording
 * @returns {{ base: Side, candidate: Side }}
 */
function sidesOf(choice, { env, cwd }, wording) {
  const { option } = wording;
  const { command, base, candidate, baseBinding, candidateBinding } = choice;
  const differs = [base, candidate, baseBinding, candidateBinding].some((one) => one !== undefined);
  if (!differs) {
    throw usage(
      `nothing to compare: give ${option('candidate', true)} FILE, ` +
        `or ${option('base')} CMD and ${option('candidate')} CMD`,
    );
  }
  /** @type {(name: import('./plan').SideName, line?: string, binding?: string) => Side} */
  const side = (name, line, binding) => {
    if (line === undefined && command.length === 0) {
      const where = wording.command;
      throw usage(`the ${name} has no command: give ${option(name)} CMD, or one for both ${where}`);
    }
    if (line?.trim() === '') throw usage(`${option(name)} takes a command, not ''`);
    const file = binding === undefined ? null : checkBinding(binding, option(name, true), cwd);
    const shown = line ?? command.map(quoted).join(' ');
    return {
      name,
      title: binding === undefined ? shown : `RSPACK_BINDING=${quoted(binding)} ${shown}`,
      command: line === undefined ? command : ['/bin/sh', '-c', line],
      env: file === null ? env : { ...env, RSPACK_BINDING: file },
      binding: file,
    };
  };
  if (base !== undefined && candidate !== undefined && command.length > 0) {
    const both = `${option('base')} and ${option('candidate')}`;
    throw usage(`${both} are both given: the command ${wording.command} would run nowhere`);
  }
  return {
    base: side('base', base, baseBinding),
    candidate: side('candidate', candidate, candidateBinding),
  };
}

module.exports = { COMMAND_LINE, OPTIONS, sidesOf };
