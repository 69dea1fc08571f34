'use strict';
// What the machine must have before the addon and the C tests can be built, and what to say
// where it is missing. Pure: the caller passes in the questions to the machine.

const fs = require('node:fs');
const path = require('node:path');

/**
 * @typedef {object} Need One thing that a package of the system brings.
 * @property {string} [header] a file under an include folder that proves it is there
 * @property {string[]} [commands] programs, any one of which proves it is there
 * @property {string} apt Debian's and Ubuntu's package
 * @property {string} dnf Fedora's package
 * @property {string} pacman Arch's package
 * @property {boolean} [testOnly] needed by the tests, not by the addon
 * @property {boolean} [optional] without it some tests are skipped, with the reason
 */

/**
 * libdw, libelf and libpfm are linked dynamically: the static ones that distributions ship are not
 * position independent. libiberty comes as a static one only, and is.
 * @type {Need[]}
 */
const NEEDS = [
  { commands: ['cc', 'gcc', 'clang'], apt: 'gcc', dnf: 'gcc', pacman: 'gcc' },
  // node-gyp links every addon with the C++ compiler, and libc's own headers come with it.
  { commands: ['c++', 'g++', 'clang++'], apt: 'g++', dnf: 'gcc-c++', pacman: 'gcc' },
  { commands: ['make'], apt: 'make', dnf: 'make', pacman: 'make' },
  { commands: ['python3'], apt: 'python3', dnf: 'python3', pacman: 'python' },
  {
    header: 'elfutils/libdwfl.h',
    apt: 'libdw-dev',
    dnf: 'elfutils-devel',
    pacman: 'elfutils',
  },
  { header: 'gelf.h', apt: 'libelf-dev', dnf: 'elfutils-libelf-devel', pacman: 'libelf' },
  { header: 'perfmon/pfmlib.h', apt: 'libpfm4-dev', dnf: 'libpfm-devel', pacman: 'libpfm' },
  {
    header: 'libiberty/demangle.h',
    apt: 'libiberty-dev',
    dnf: 'binutils-devel',
    pacman: 'binutils',
  },
  {
    header: 'cmocka.h',
    apt: 'libcmocka-dev',
    dnf: 'libcmocka-devel',
    pacman: 'cmocka',
    testOnly: true,
  },
  {
    // Programs for another libc, to see that they refuse the addon.
    commands: ['musl-gcc'],
    apt: 'musl-tools',
    dnf: 'musl-gcc',
    pacman: 'musl',
    testOnly: true,
    optional: true,
  },
  {
    // Reports are looked at in it. 80 MB; Ubuntu has it as a snap only, which apt-get may refuse.
    commands: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    apt: 'chromium',
    dnf: 'chromium',
    pacman: 'chromium',
    testOnly: true,
    optional: true,
  },
];

/**
 * @typedef {object} Machine
 * @property {(header: string) => boolean} hasHeader
 * @property {(command: string) => boolean} hasCommand
 */

/**
 * @param {'build' | 'test'} purpose
 * @param {Machine} machine
 * @returns {Need[]} what is missing, in the table's order
 */
function missingNeeds(purpose, machine) {
  return NEEDS.filter((need) => {
    if (need.testOnly && purpose !== 'test') return false;
    if (need.header) return !machine.hasHeader(need.header);
    return !(need.commands ?? []).some(machine.hasCommand);
  });
}

/**
 * @param {Need[]} needs
 * @param {'apt' | 'dnf' | 'pacman'} manager
 * @returns {string[]} package names, each once
 */
function packageNames(needs, manager) {
  return [...new Set(needs.map((need) => need[manager]))];
}

/**
 * One line that a person can act on, for each family of systems.
 * @param {Need[]} needs
 * @param {boolean} hasApt
 */
function howToInstall(needs, hasApt) {
  const apt = `sudo apt-get install -y ${packageNames(needs, 'apt').join(' ')}`;
  if (hasApt) return `run: ${apt}`;
  return [
    `install with your package manager: ${packageNames(needs, 'apt').join(' ')} (Debian, Ubuntu)`,
    `${packageNames(needs, 'dnf').join(' ')} (Fedora)`,
    `${packageNames(needs, 'pacman').join(' ')} (Arch)`,
  ].join('; ');
}

/**
 * Why the addon cannot be built for this machine at all, or null where it can.
 * @param {{ platform: string, arch: string, glibc: boolean }} machine
 */
function unsupportedReason({ platform, arch, glibc }) {
  if (platform !== 'linux' || arch !== 'x64') return `this is ${platform} ${arch}`;
  return glibc ? null : 'this is Linux with musl';
}

/** @returns {string | null} */
function unsupportedHere() {
  // The report's header names glibc's version where node is linked with it; it takes 5 ms, and
  // seconds if it may look up the names of this process's connections.
  Object.assign(/** @type {object} */ (process.report), { excludeNetwork: true });
  const report = /** @type {any} */ (process.report.getReport());
  const glibc = Boolean(report.header.glibcVersionRuntime);
  return unsupportedReason({ platform: process.platform, arch: process.arch, glibc });
}

/** @param {NodeJS.ProcessEnv} env */
function includeFolders(env) {
  const extra = [env.C_INCLUDE_PATH, env.CPATH].join(':').split(':').filter(Boolean);
  return [...extra, '/usr/include', '/usr/local/include', '/usr/include/x86_64-linux-gnu'];
}

/**
 * This machine's answers. Files are looked at, nothing is run: a second set-up must cost nothing.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Machine}
 */
function thisMachine(env = process.env) {
  const includes = includeFolders(env);
  const folders = (env.PATH ?? '').split(':').filter(Boolean);
  return {
    hasHeader: (header) => includes.some((folder) => fs.existsSync(path.join(folder, header))),
    hasCommand: (command) => folders.some((folder) => fs.existsSync(path.join(folder, command))),
  };
}

module.exports = {
  NEEDS,
  howToInstall,
  missingNeeds,
  packageNames,
  thisMachine,
  unsupportedHere,
  unsupportedReason,
};
