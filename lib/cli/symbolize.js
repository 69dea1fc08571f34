'use strict';
// rspack-prof symbolize: names for a profile or a bundle that was recorded where the symbols were not.

const path = require('node:path');
const { UsageError, textOf } = require('./args.js');
const { profilePath, writeError } = require('./files.js');
const { say } = require('./say.js');
const { identify } = require('../elf.js');
const { ProfError } = require('../errors.js');
const { fromJson } = require('../export/firefox-read.js');
const { readJson } = require('../export/json-file.js');
const { symbolize } = require('../profile/symbolize.js');

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'symbolize',
  summary: 'name the functions of a profile from a file that has the symbols',
  usage: 'FILE --with BINARY -o OUT',
  positionals: [1, 1],
  options: {
    with: {
      type: 'string',
      value: 'BINARY',
      help: 'the .node or library as it was before stripping',
    },
    output: { type: 'string', short: 'o', value: 'OUT', help: 'the profile or bundle to write' },
  },
  notes: ["BINARY and the profile's binding must be of one build: build id and code are compared."],
};

/** @typedef {import('../profile/profile').Profile} Profile */

/**
 * @param {string} binary
 * @param {import('./main.js').World} world
 */
function namer(binary, world) {
  const native = world.loadNative();
  const full = path.resolve(world.cwd, binary);
  let module = '';
  let [named, unnamed] = [0, 0];
  return {
    /**
     * @param {Profile} profile
     * @param {{ file: string, textSha256: string } | null} [binding] of it, as its bundle knows it
     */
    name(profile, binding = null) {
      const one = symbolize(profile, full, native);
      // Without a linker's build id a module is known by the first page of its code: no proof.
      const isBinding = binding && path.basename(binding.file) === one.module;
      if (isBinding && binding.textSha256 !== identify(full)?.textSha256) return profile;
      module ||= one.module;
      named += one.named;
      unnamed += one.unnamed;
      return one.profile;
    },
    /** @param {string} file */
    tell(file) {
      if (module === '') {
        throw new ProfError(
          'ERR_PROF_BAD_FILE',
          `nothing in ${file} is of the build of ${binary} (build ids or code differ): take the file that it was made from`,
        );
      }
      const rest = unnamed > 0 ? `, ${unnamed} places have no symbol there either` : '';
      const what =
        named > 0
          ? `${named} places of ${module} have names now`
          : `nothing in ${module} lacked a name`;
      say(world, `${what}${rest}`);
    },
  };
}

/** @type {import('./main.js').Command['run']} */
function run(parsed, world) {
  const binary = textOf(parsed, 'with');
  const output = textOf(parsed, 'output');
  if (binary === undefined)
    throw new UsageError('--with is missing: the file that has the symbols');
  if (output === undefined) throw new UsageError('-o is missing: where to write the result');
  const [file] = parsed.positionals;
  if (/#(base|candidate)$/.test(file)) {
    throw new UsageError('both sides of a bundle are named at once: leave #base or #candidate out');
  }
  const full = profilePath(file, world.cwd);
  const json = readJson(full);
  const names = namer(binary, world);
  const target = path.resolve(world.cwd, output);
  const write = (/** @type {() => unknown} */ work) => {
    try {
      work();
    } catch (error) {
      throw error instanceof ProfError ? error : writeError(error, output);
    }
  };
  if (json?.rspackProfBundle === undefined) {
    const profile = names.name(fromJson(json, full));
    names.tell(file);
    write(() => profile.write(target, { format: 'firefox' }));
    return 0;
  }
  const { openBundle, writeBundle } = require('../compare/bundle.js');
  const { withHotspots } = require('../compare/hotspots.js');
  const bundle = openBundle(full, json);
  const { bindings = {} } = bundle.result.environment ?? {};
  const profiles = {
    base: names.name(bundle.profile('base'), bindings.base),
    candidate: names.name(bundle.profile('candidate'), bindings.candidate),
  };
  names.tell(file);
  write(() => writeBundle(target, withHotspots(bundle.result, profiles), profiles));
  return 0;
}

module.exports = { run, spec };
