'use strict';
// Writes a case: a project that a real `rspack build` can build, the same bytes on every machine.
//   node bench/workloads/generate.js CASE [DIR]     default DIR: bench/.cases/CASE
// A case that is there already, from this version of the generator, is left alone. Refuses a DIR
// that holds anything but a case.

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { CASES } = require('./cases.js');
const { layout } = require('./layout.js');
const { Random } = require('./random.js');

const ROOT = path.resolve(__dirname, '..', '..');
const TEMPLATES = path.join(__dirname, 'templates');
const CASES_FOLDER = path.join(ROOT, 'bench', '.cases');
/** Written last; its text tells from which version of the generator the case is. */
const STAMP = '.case';
/** What comes to lie in a case later and is no part of it. */
const NOT_PART = new Set([STAMP, 'dist', 'node_modules', '.rspack-prof']);

/** An error whose message is all that the user needs. */
class CaseError extends Error {}

/**
 * @param {string} folder
 * @returns {string[]} files below it as relative paths, sorted
 */
function filesBelow(folder) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/**
 * @param {string} name
 * @returns {import('./cases.js').Case}
 */
function caseNamed(name) {
  if (Object.hasOwn(CASES, name)) return CASES[name];
  throw new CaseError(`no case '${name}': choose one of ${Object.keys(CASES).join(', ')}`);
}

/**
 * @param {string} name
 * @returns {Map<string, string>} every file's text by its path in the case
 */
function caseFiles(name) {
  const { modules, templates, source, seed } = caseNamed(name);
  /** @type {Map<string, string>} */
  const files = new Map();
  for (const template of templates) {
    const folder = path.join(TEMPLATES, template);
    for (const file of filesBelow(folder)) {
      files.set(file, fs.readFileSync(path.join(folder, file), 'utf8'));
    }
  }
  const random = new Random(seed);
  const places = layout(modules);
  for (const place of places) files.set(`${place.file}.jsx`, source(place, places, random));
  return files;
}

/**
 * What the case depends on, without making it: this folder's sources and the case's name.
 * @param {string} name
 */
function stampOf(name) {
  const hash = crypto.createHash('sha256').update(name);
  for (const file of filesBelow(__dirname)) {
    hash.update(`\0${file}\0`).update(fs.readFileSync(path.join(__dirname, file)));
  }
  return `${name} ${hash.digest('hex')}\n`;
}

/** @param {string} folder */
function readStamp(folder) {
  const file = path.join(folder, STAMP);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
}

/**
 * Below the checkout, node finds this project's packages by itself, and the project by its own name.
 * A case elsewhere gets a node_modules folder of links to them.
 * @param {string} folder
 */
function linkPackages(folder) {
  const fromRoot = path.relative(ROOT, folder);
  if (!fromRoot.startsWith('..') && !path.isAbsolute(fromRoot)) return;
  const packages = path.join(ROOT, 'node_modules');
  const links = path.join(folder, 'node_modules');
  fs.mkdirSync(links);
  for (const name of fs.existsSync(packages) ? fs.readdirSync(packages) : []) {
    if (!name.startsWith('.')) fs.symlinkSync(path.join(packages, name), path.join(links, name));
  }
  fs.symlinkSync(ROOT, path.join(links, 'rspack-prof'));
}

/**
 * Makes room for a case, or throws where the folder belongs to somebody.
 * @param {string} folder
 */
function removeOldCase(folder) {
  if (!fs.existsSync(folder)) return;
  const isEmpty = fs.readdirSync(folder).length === 0;
  if (!isEmpty && readStamp(folder) === null) {
    throw new CaseError(`${folder} is not empty and holds no case: name another folder`);
  }
  fs.rmSync(folder, { recursive: true });
}

/**
 * @param {string} name
 * @param {{ folder?: string }} options
 * @returns {{ name: string, folder: string, made: boolean }} made: false where it was there already
 */
function generate(name, { folder = path.join(CASES_FOLDER, name) } = {}) {
  caseNamed(name);
  const target = path.resolve(folder);
  const stamp = stampOf(name);
  if (readStamp(target) === stamp) return { name, folder: target, made: false };

  removeOldCase(target);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  // Made beside it and renamed: a case is whole or not there, also when two processes make it.
  const half = fs.mkdtempSync(`${target}.half-`);
  fs.chmodSync(half, 0o755);
  try {
    for (const [file, text] of caseFiles(name)) {
      const to = path.join(half, file);
      fs.mkdirSync(path.dirname(to), { recursive: true });
      fs.writeFileSync(to, text);
    }
    linkPackages(half);
    fs.writeFileSync(path.join(half, STAMP), stamp);
    fs.renameSync(half, target);
  } catch (error) {
    fs.rmSync(half, { recursive: true, force: true });
    if (readStamp(target) !== stamp) throw error;
    return { name, folder: target, made: false };
  }
  return { name, folder: target, made: true };
}

/**
 * @param {string} folder a generated case
 * @returns {string} a hash over the paths and bytes of all that belongs to it
 */
function digest(folder) {
  const hash = crypto.createHash('sha256');
  for (const file of filesBelow(folder)) {
    if (NOT_PART.has(file.split(path.sep)[0])) continue;
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(path.join(folder, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

module.exports = { CASES, CaseError, caseFiles, digest, generate };

/** @param {string[]} argv */
function main(argv) {
  const [name, folder, ...rest] = argv;
  if (name === undefined || rest.length > 0 || name.startsWith('-')) {
    const rows = Object.entries(CASES).map(([key, { about }]) => `  ${key.padEnd(10)} ${about}`);
    console.error(`usage: node bench/workloads/generate.js CASE [DIR]\n${rows.join('\n')}`);
    return 2;
  }
  try {
    console.log(generate(name, { folder }).folder);
    return 0;
  } catch (error) {
    if (!(error instanceof CaseError)) throw error;
    console.error(error.message);
    return 2;
  }
}

if (require.main === module) process.exitCode = main(process.argv.slice(2));
