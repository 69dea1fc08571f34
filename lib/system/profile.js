'use strict';
// A perf.data of all processes -> one profile: each process that worked enough is unwound by itself, with its
// own files and mappings, and they stand side by side in the same time.

const { splitEvents } = require('../profile/events.js');
const { mergeAtOnce } = require('../profile/merge.js');
const { Profile } = require('../profile/profile.js');

/** @typedef {import('../profile/raw').NativeAddon} NativeAddon */
/** @typedef {{pid: number, name: string, samples: number, share: number, completeShare: number}} ProcessRow */

/** Each process is read from the file by itself: those that are next to nothing are counted alone. */
const LEAST_SHARE = 0.005;
const MOST_PROCESSES = 32;
/** Told of all processes together, or of none. */
const NOT_OF_ONE = ['other-processes', 'few-samples', 'files-changed'];

/** @param {{samples: number}[]} rows */
const sum = (rows) => rows.reduce((all, { samples }) => all + samples, 0);

/**
 * @param {string} file
 * @param {Required<NativeAddon>} native
 * @param {{command: string, warnings: import('../index').Warning[], isWanted?: () => boolean}} about
 *    isWanted: once false, the processes not read yet are left out
 */
async function profileOfAll(file, native, { command, warnings, isWanted = () => true }) {
  const all = native.perfDataProcesses(file).sort((a, b) => b.samples - a.samples);
  const total = sum(all);
  const taken = all
    .filter(({ pid, samples }) => pid > 0 && samples >= total * LEAST_SHARE)
    .slice(0, MOST_PROCESSES);
  /** @type {Profile[]} */
  const profiles = [];
  /** @type {ProcessRow[]} */
  const rows = [];
  let missing = 0;
  for (const { pid, samples } of taken) {
    if (!isWanted()) break;
    const { raw } = splitEvents(await native.importPerfData(file, { pid }));
    missing += raw.quality.warnings.filter(({ code }) => code === 'files-changed').length;
    raw.quality.warnings = raw.quality.warnings.filter(({ code }) => !NOT_OF_ONE.includes(code));
    const context = { command, node: process.version, rspack: null, binding: null };
    profiles.push(new Profile(raw, { context }));
    const main = raw.threads.tid.indexOf(pid);
    const name = raw.strings[raw.threads.name[Math.max(0, main)]] ?? '';
    rows.push({
      ...{ pid, name, samples, share: samples / total },
      completeShare: raw.quality.samples > 0 ? raw.quality.complete / raw.quality.samples : 0,
    });
  }
  if (profiles.length === 0) return null;
  const { raw } = mergeAtOnce(profiles);
  const [one] = profiles;
  // Of the CPUs, and so in each of them.
  const { lost, throttled } = one.raw.quality;
  const left = total - sum(taken);
  const more = [...warnings, ...raw.quality.warnings];
  if (left > 0) {
    const message = `${left} of ${total} samples are left out: of ${all.length - taken.length} processes with less than ${LEAST_SHARE * 100} % each, or of the kernel's own`;
    more.push({ code: 'other-processes', message, fix: '' });
  }
  if (missing > 0) {
    const message = `files of ${missing} process${missing === 1 ? '' : 'es'} are gone or not the ones that ran (other containers' too): their frames have no names`;
    more.push({ code: 'files-changed', message, fix: '' });
  }
  const known = new Map(more.map((warning) => [warning.code, warning]));
  const quality = { ...raw.quality, lost, throttled, warnings: [...known.values()] };
  const meta = { ...raw.meta, pid: process.pid };
  const context = { command, node: process.version, rspack: null, binding: null };
  return { profile: new Profile({ ...raw, meta, quality }, { context }), processes: rows, total };
}

module.exports = { profileOfAll };
