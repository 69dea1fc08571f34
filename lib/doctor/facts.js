'use strict';
// Gathers what the rules judge. The only file of the doctor that asks the system; every question goes
// through a reader that tests replace. A fact that cannot be read is null, never a guess.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { hasSymbolTable } = require('../elf.js');
const { FOLDER, workingFolder } = require('../folder.js');

/**
 * @typedef {object} Reader
 * @property {string} platform
 * @property {string} arch
 * @property {string} kernel release
 * @property {number} cpus
 * @property {NodeJS.ProcessEnv} env
 * @property {string} cwd
 * @property {(file: string) => string | null} read a text file, null where it cannot be read
 * @property {(file: string) => string | null} readStart the same, of a large file: its first 4 KiB
 * @property {(file: string) => boolean} exists
 * @property {(request: string, from: string) => string | null} resolve require.resolve from a folder
 * @property {(file: string) => boolean | null} hasSymbolTable
 * @property {() => import('../profile/raw').NativeAddon} loadNative
 * @property {(folder: string) => string[]} leftovers journals of builds that ended without a profile
 *
 * @typedef {object} Limit
 * @property {number} soft Infinity where unlimited
 * @property {number} hard
 *
 * @typedef {object} Package
 * @property {string} version
 * @property {string} folder
 *
 * @typedef {object} Binding
 * @property {string} file
 * @property {string | null} version
 * @property {boolean | null} symbols whether it has a symbol table
 * @property {boolean} chosen by RSPACK_BINDING
 *
 * @typedef {object} Facts
 * @property {string} platform
 * @property {string} arch
 * @property {string} kernel
 * @property {number} cpus
 * @property {string} cwd
 * @property {boolean} root has CAP_SYS_ADMIN or CAP_PERFMON: perf_event_paranoid does not hold
 * @property {boolean} mayLock has CAP_IPC_LOCK: no mlock limit
 * @property {number | null} paranoid
 * @property {number | null} kptrRestrict
 * @property {boolean | null} kernelSymbols /proc/kallsyms shows addresses to this user
 * @property {number | null} mlockKb per CPU and user, for perf's rings
 * @property {number | null} maxSampleRate
 * @property {boolean} hasPmu
 * @property {number | null} seccomp 0 none, 1 strict, 2 filter
 * @property {Limit | null} files RLIMIT_NOFILE
 * @property {Limit | null} lockedBytes RLIMIT_MEMLOCK
 * @property {Package | null} core
 * @property {Binding | null} binding
 * @property {'npm' | 'pnpm' | 'yarn'} packageManager
 * @property {(name: string) => string | null} installed main file of a package that is installed here
 * @property {(file: string) => string | null} bindingVersion version of the package around a file
 * @property {string[]} leftovers journals below .rspack-prof/ here
 * @property {Probe | null} probe null where it was not asked for
 *
 * @typedef {ReturnType<import('../profile/raw').NativeAddon['probe']>} Probe
 */

/** @param {string} file */
function readStart(file) {
  let fd;
  try {
    fd = fs.openSync(file, 'r');
    const bytes = Buffer.alloc(4096);
    return bytes.toString('latin1', 0, fs.readSync(fd, bytes));
  } catch {
    return null;
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

/**
 * @param {string | null} kallsyms the start of its text
 * @returns {boolean | null}
 */
function showsAddresses(kallsyms) {
  const addresses = kallsyms?.match(/^[0-9a-f]{8,16}(?= )/gm);
  // Per-CPU symbols come first and begin at 0, but they go on: hidden are all that are 0.
  return addresses ? addresses.some((address) => /[1-9a-f]/.test(address)) : null;
}

/** @returns {Reader} */
function systemReader() {
  return {
    platform: process.platform,
    arch: process.arch,
    kernel: os.release(),
    cpus: os.cpus().length,
    env: process.env,
    cwd: workingFolder(),
    read: (file) => {
      try {
        return fs.readFileSync(file, 'utf8');
      } catch {
        return null; // not there, or not for us: both mean that the fact is unknown
      }
    },
    readStart,
    exists: (file) => fs.existsSync(file),
    resolve: (request, from) => {
      try {
        return require.resolve(request, { paths: [from] });
      } catch {
        return null; // not installed there
      }
    },
    hasSymbolTable,
    loadNative: () => require('../native.js').loadNative(),
    leftovers: (folder) => {
      try {
        return require('../journal.js').leftovers(folder, require('../native.js').loadNative());
      } catch {
        return []; // no addon here: then nothing can be recovered here either
      }
    },
  };
}

/**
 * @param {Reader} reader
 * @param {string} name below /proc/sys/kernel
 */
function sysctl(reader, name) {
  const text = reader.read(`/proc/sys/kernel/${name}`);
  const value = text === null || text.trim() === '' ? NaN : Number(text);
  return Number.isInteger(value) ? value : null;
}

/**
 * @param {string | null} limits text of /proc/self/limits
 * @param {string} name
 * @returns {Limit | null}
 */
function limitOf(limits, name) {
  const row = limits?.split('\n').find((line) => line.startsWith(name));
  const match = row && /^\s*(\d+|unlimited)\s+(\d+|unlimited)/.exec(row.slice(name.length));
  if (!match) return null;
  const [soft, hard] = match.slice(1).map((v) => (v === 'unlimited' ? Infinity : Number(v)));
  return { soft, hard };
}

/** @param {string | null} status text of /proc/self/status */
function statusOf(status) {
  const field = (/** @type {string} */ name) =>
    new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status ?? '')?.[1];
  const capabilities = BigInt(`0x${field('CapEff') ?? '0'}`);
  const has = (/** @type {bigint} */ bit) => ((capabilities >> bit) & 1n) === 1n;
  const seccomp = field('Seccomp');
  return {
    seccomp: seccomp === undefined ? null : Number(seccomp),
    root: has(21n) || has(38n), // CAP_SYS_ADMIN, CAP_PERFMON
    mayLock: has(14n), // CAP_IPC_LOCK
  };
}

/**
 * The package that a file belongs to.
 * @param {Reader} reader
 * @param {string} file
 * @returns {(Package & { name: string }) | null}
 */
function packageOf(reader, file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const text = reader.read(path.join(folder, 'package.json'));
    if (text !== null) {
      try {
        const { name, version } = JSON.parse(text);
        // A package.json that only says {"type": "module"} lies deeper than the package's own.
        if (name && version) return { name, version, folder };
      } catch {
        return null; // a broken package.json tells nothing
      }
    }
    if (folder === path.dirname(folder)) return null;
  }
}

/**
 * @param {Reader} reader
 * @param {string} from
 * @returns {Package | null}
 */
function findCore(reader, from) {
  const main = reader.resolve('@rspack/core', from);
  const found = main && packageOf(reader, main);
  return found ? { version: found.version, folder: found.folder } : null;
}

/**
 * @param {Reader} reader
 * @param {string} file
 * @param {boolean} chosen
 * @returns {Binding}
 */
function bindingAt(reader, file, chosen) {
  const version = packageOf(reader, file)?.version ?? null;
  return { file, version, symbols: reader.hasSymbolTable(file), chosen };
}

/**
 * The binding that @rspack/core would load here.
 * @param {Reader} reader
 * @param {Package | null} core
 * @returns {Binding | null}
 */
function findBinding(reader, core) {
  const given = reader.env.RSPACK_BINDING;
  if (given) {
    const file = path.resolve(reader.cwd, given);
    return reader.exists(file) ? bindingAt(reader, file, true) : null;
  }
  if (!core) return null;
  const loader = reader.resolve('@rspack/binding', core.folder);
  for (const libc of ['gnu', 'musl']) {
    const name = `@rspack/binding-${reader.platform}-${reader.arch}-${libc}`;
    const file = loader && reader.resolve(name, path.dirname(loader));
    if (file) return bindingAt(reader, file, false);
  }
  return null;
}

/**
 * @param {Reader} reader
 * @returns {'npm' | 'pnpm' | 'yarn'}
 */
function packageManager(reader) {
  for (let folder = reader.cwd; ; folder = path.dirname(folder)) {
    if (reader.exists(path.join(folder, 'pnpm-lock.yaml'))) return 'pnpm';
    if (reader.exists(path.join(folder, 'yarn.lock'))) return 'yarn';
    if (reader.exists(path.join(folder, 'package-lock.json'))) return 'npm';
    if (folder === path.dirname(folder)) return 'npm';
  }
}

/**
 * @param {Reader} reader
 * @param {string} event
 * @returns {Probe}
 */
function probe(reader, event) {
  try {
    return reader.loadNative().probe(event);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    return { ok: false, code: code ?? 'ERR_PROF_SYSTEM', message };
  }
}

/** A PMU's folder by kernel: Intel and AMD, Intel hybrid, Arm. */
const PMU_FOLDERS = ['cpu', 'cpu_core', 'armv8_pmuv3_0', 'armv8_pmuv3'];

/**
 * @param {Reader} [reader]
 * @param {{ event?: string }} [options] event: one to probe by opening it
 * @returns {Facts}
 */
function gatherFacts(reader = systemReader(), { event } = {}) {
  const limits = reader.read('/proc/self/limits');
  const core = findCore(reader, reader.cwd);
  return {
    platform: reader.platform,
    arch: reader.arch,
    kernel: reader.kernel,
    cpus: reader.cpus,
    cwd: reader.cwd,
    ...statusOf(reader.read('/proc/self/status')),
    paranoid: sysctl(reader, 'perf_event_paranoid'),
    kptrRestrict: sysctl(reader, 'kptr_restrict'),
    kernelSymbols: showsAddresses(reader.readStart('/proc/kallsyms')),
    mlockKb: sysctl(reader, 'perf_event_mlock_kb'),
    maxSampleRate: sysctl(reader, 'perf_event_max_sample_rate'),
    hasPmu: PMU_FOLDERS.some((name) => reader.exists(`/sys/bus/event_source/devices/${name}`)),
    files: limitOf(limits, 'Max open files'),
    lockedBytes: limitOf(limits, 'Max locked memory'),
    core,
    binding: findBinding(reader, core),
    packageManager: packageManager(reader),
    installed: (name) => reader.resolve(name, reader.cwd),
    bindingVersion: (file) => packageOf(reader, file)?.version ?? null,
    leftovers: event === undefined ? [] : reader.leftovers(path.join(reader.cwd, FOLDER)),
    probe: event === undefined ? null : probe(reader, event),
  };
}

module.exports = { findBinding, findCore, gatherFacts, packageOf, systemReader };
