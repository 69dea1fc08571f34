'use strict';
// The files whose functions can be traced: the rspack binding that a build here would load, node, the C
// library, the command's own program, and what the user names.

const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('../errors.js');
const { findBinding, findCore, systemReader } = require('../doctor/facts.js');

/** @typedef {{ cwd: string, env: NodeJS.ProcessEnv }} Place */

/** @param {string} file @returns {string | null} its real path, where it is an ELF file */
function elfFile(file) {
  let fd;
  try {
    const real = fs.realpathSync(file);
    if (!fs.statSync(real).isFile()) return null;
    fd = fs.openSync(real, 'r');
    const magic = Buffer.alloc(4);
    fs.readSync(fd, magic, 0, 4, 0);
    return magic.toString('latin1') === '\x7fELF' ? real : null;
  } catch {
    return null; // not there, or not for us
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/**
 * A program as the shell finds it.
 * @param {string} command
 * @param {Place} place
 */
function programFile(command, { cwd, env }) {
  if (command.includes('/')) return elfFile(path.resolve(cwd, command));
  for (const folder of (env.PATH ?? '').split(':').filter(Boolean)) {
    const file = path.join(folder, command);
    if (fs.existsSync(file)) return elfFile(file);
  }
  return null;
}

/** The C library that this very process has mapped: the one that a build's node maps too. */
function libcFile() {
  try {
    const maps = fs.readFileSync('/proc/self/maps', 'utf8');
    const found = /\s(\/\S*\/libc(?:\.so\.6|-[\d.]+\.so))$/m.exec(maps);
    return found ? elfFile(found[1]) : null;
  } catch {
    return null;
  }
}

/** Whether this very process has mapped a file. @param {string} real its path */
function isLoaded(real) {
  const maps = fs.readFileSync('/proc/self/maps', 'utf8');
  return maps.split('\n').some((line) => line.endsWith(` ${real}`));
}

/** @param {Place} place */
function bindingFile({ cwd, env }) {
  const reader = { ...systemReader(), cwd, env };
  const found = findBinding(reader, findCore(reader, cwd));
  return found ? elfFile(found.file) : null;
}

/**
 * @param {Place} place
 * @param {string[]} command
 * @returns {string[]} real paths, each once: the binding first
 */
function usualObjects(place, command) {
  const [program] = command;
  const found = [
    bindingFile(place),
    program ? programFile(program, place) : null,
    elfFile(process.execPath),
    libcFile(),
  ];
  return [...new Set(found.filter((file) => file !== null))];
}

/**
 * @param {string[]} given
 * @param {Place} place
 */
function namedObjects(given, place) {
  return given.map((name) => {
    const file = elfFile(path.resolve(place.cwd, name)) ?? programFile(name, place);
    if (file) return file;
    throw new ProfError(
      'ERR_PROF_BAD_FILE',
      `${name} is no program, library or .node file: name one by its path`,
    );
  });
}

module.exports = { isLoaded, namedObjects, usualObjects };
