'use strict';
// Rules about rspack's binding: whether its functions have names, and whether it is the build that users run.

const path = require('node:path');
const { inPercent } = require('../grouped.js');
const { BINDING } = require('../rspack-binding.js');
const { bindingOf, shareIn, shareThrough } = require('./profile-facts.js');

/** @typedef {import('./facts').Facts} Facts */
/** @typedef {import('./rules').Rule} Rule */
/** @typedef {import('../profile/raw').RawProfile} RawProfile */

/** A debug binding shows itself by the checks that swc compiles in (rspack 2.2.7). */
const ASSERTION = 'AssertValid';
const ASSERTIONS_SHOWN_FROM = 0.005;
const INSTALL = { npm: 'npm install -D', pnpm: 'pnpm add -D', yarn: 'yarn add -D' };

/**
 * A word of a command, quoted where a shell would take it apart.
 * @param {string} word
 */
const quoted = (word) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;

/**
 * The binding of the profile, else the one that a build here would load.
 * @param {Facts} facts
 * @param {RawProfile | null} profile
 */
function bindingIn(facts, profile) {
  if (!profile) return facts.binding;
  const loaded = bindingOf(profile);
  // The profile may be from another machine; then only its own words count.
  const version = loaded && facts.bindingVersion(loaded.file);
  return loaded && { ...loaded, version };
}

/**
 * @param {Facts} facts
 * @param {string} file of the stripped binding
 * @param {string} version
 */
function useDebugBinding(facts, file, version) {
  const target = BINDING.exec(path.basename(file))?.[1] ?? 'linux-x64-gnu';
  const name = `@rspack-debug/binding-${target}`;
  const have = facts.installed(name);
  const use = (/** @type {string} */ at) => `RSPACK_BINDING=${quoted(at)} npx rspack build`;
  if (have && facts.bindingVersion(have) === version) return { name, fix: use(have) };
  const at = path.join(facts.cwd, 'node_modules', name, `rspack.${target}.node`);
  return { name, fix: `${INSTALL[facts.packageManager]} ${name}@${version} && ${use(at)}` };
}

/** @type {Rule[]} */
const RULES = [
  {
    code: 'stripped-binding',
    binding: true,
    title: 'the rspack binding has symbols',
    in: 'both',
    severity: 'advice',
    check: (facts, profile) => {
      const binding = bindingIn(facts, profile);
      if (!binding || binding.symbols !== false) return null;
      const version = binding.version ?? facts.core?.version ?? 'VERSION';
      const { name, fix } = useDebugBinding(facts, binding.file, version);
      const share = profile ? shareIn(profile, binding.file) : 0;
      const none = profile ? ` (${inPercent(share)} of these samples)` : '';
      return {
        message:
          `${path.basename(binding.file)} ${version} is the stripped release build: its Rust ` +
          `functions${none} have no names; ${name}@${version} has them, where the registry has that ` +
          'version',
        fix,
      };
    },
  },
  {
    code: 'debug-binding',
    binding: true,
    title: 'no debug assertions in the rspack binding',
    in: 'both',
    severity: 'advice',
    check: (facts, profile) => {
      const binding = bindingIn(facts, profile);
      if (!binding) return null;
      const share = profile ? shareThrough(profile, ASSERTION) : 0;
      const byPath = binding.file.includes('@rspack-debug');
      if (!byPath && share < ASSERTIONS_SHOWN_FROM) return null;
      const took = profile ? ` (${ASSERTION}: ${inPercent(share)} of these samples)` : '';
      return {
        message:
          `this is the debug binding: another build than users run, with assertions${took} and ` +
          "the system's allocator; its functions have names, its times are not the release build's",
        fix: '',
      };
    },
  },
  {
    code: 'version-mismatch',
    binding: true,
    title: '@rspack/core and its binding have one version',
    in: 'both',
    severity: 'advice',
    check: (facts, profile) => {
      const binding = bindingIn(facts, profile);
      const { core } = facts;
      if (!core || !binding?.version || binding.version === core.version) return null;
      // A debug binding was chosen and few versions of it exist: core follows it. A release binding
      // comes with its core, so installing that again brings the right one.
      const chosen = binding.file.includes('@rspack-debug') || facts.binding?.chosen === true;
      const wanted = chosen ? binding.version : core.version;
      return {
        message:
          `@rspack/core is ${core.version} and the binding ${binding.version}: the build fails, or ` +
          'is another one than users run',
        fix: `${INSTALL[facts.packageManager]} @rspack/core@${wanted}`,
      };
    },
  },
];

module.exports = { RULES };
