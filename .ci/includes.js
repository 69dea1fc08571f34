'use strict';
// Fails on an #include that points up or sideways in src/: base <- perf, code, profile <- stack,
// trace <- heap <- session <- addon. Parts of one rank do not know each other.
//   node .ci/includes.js [SOURCE_FOLDER]

const fs = require('node:fs');
const path = require('node:path');

/** @type {Record<string, number>} folder, or file without its ending, at the top of src/ */
const RANKS = {
  base: 0,
  perf: 1,
  code: 1,
  profile: 1,
  stack: 2,
  trace: 2,
  heap: 2.5,
  session: 3,
  addon: 4,
  runner: 1.5,
};

/** @param {string} file relative to the source folder */
function partOf(file) {
  return file.split('/')[0].replace(/\.[ch]$/, '');
}

/**
 * @param {string} from part that includes
 * @param {string} to part that is included
 */
function isAllowed(from, to) {
  return from === to || RANKS[to] < RANKS[from];
}

/**
 * @param {string} folder
 * @returns {string[]} one line for each include that is not allowed
 */
function wrongIncludes(folder) {
  const files = fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[ch]$/.test(file))
    .sort();
  const known = new Set(files);
  /** @type {string[]} */
  const wrong = [];
  for (const file of files) {
    if (!(partOf(file) in RANKS)) wrong.push(`${file}: ${partOf(file)} has no rank`);
    const lines = fs.readFileSync(path.join(folder, file), 'utf8').split('\n');
    lines.forEach((line, index) => {
      const name = /^\s*#\s*include\s+"([^"]+)"/.exec(line)?.[1];
      if (!name) return;
      // As the compiler looks: beside the including file first, then under src/.
      const beside = path.join(path.dirname(file), name);
      const target = [beside, path.normalize(name)].find((candidate) => known.has(candidate));
      if (target && !isAllowed(partOf(file), partOf(target))) {
        wrong.push(`${file}:${index + 1}: ${partOf(file)} must not include ${target}`);
      }
    });
  }
  return wrong;
}

module.exports = { isAllowed, wrongIncludes };

if (require.main === module) {
  const wrong = wrongIncludes(process.argv[2] ?? path.resolve(__dirname, '..', 'src'));
  for (const line of wrong) console.error(line);
  if (wrong.length === 0) console.log('includes: every one points down');
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
