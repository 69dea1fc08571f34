'use strict';
// What a Perfetto trace interns once for all packets: names, files, mappings, frames. Numbers of
// fields are those of interned_data.proto and profile_common.proto of 2026.

const { KINDS, objectOf } = require('../profile/keys.js');
const { bytes, message, number } = require('./perfetto-packets.js');

/** @typedef {import('../profile/profile').Profile} Profile */
/** @typedef {import('./perfetto-packets').ProtoWriter} ProtoWriter */
/** @typedef {import('./perfetto-packets').Fill} Fill */

/** Frame.Kind. */
const FRAME = { NATIVE: 1, KERNEL: 2, INTERPRETED: 3, JIT: 4, RUNTIME: 6 };
const INTERPRETED = 1; // funcs.tier

/** Interning ids: 1 and on, by text. */
class Ids {
  /** @type {Map<string, number>} */
  known = new Map();

  /** @param {string} key */
  of(key) {
    const id = this.known.get(key) ?? this.known.size + 1;
    this.known.set(key, id);
    return id;
  }
}

/** @param {Profile} profile @param {number} func */
function frameKind({ raw }, func) {
  const kind = KINDS[raw.funcs.kind[func]];
  if (kind === 'kernel') return FRAME.KERNEL;
  if (kind === 'js') return raw.funcs.tier[func] === INTERPRETED ? FRAME.INTERPRETED : FRAME.JIT;
  return kind === 'v8' ? FRAME.RUNTIME : FRAME.NATIVE;
}

/**
 * Names, mappings and frames: frame ids are the functions' indices and 1. Code without a file gets a
 * mapping by the name of its object, since readers before 2026 drop frames without one.
 * @param {Profile} profile
 * @returns {Fill} of InternedData
 */
function internedData(profile) {
  const { raw, names } = profile;
  const { module, file, line, address } = raw.funcs;
  const [functions, files, paths, builds, mappings] = Array.from({ length: 5 }, () => new Ids());
  const interned = (
    /** @type {ProtoWriter} */ data,
    /** @type {number} */ field,
    /** @type {Ids} */ ids,
  ) => {
    for (const [value, id] of ids.known) {
      message(data, field, (entry) => {
        number(entry, 1, id);
        bytes(entry, 2, Buffer.from(value));
      });
    }
  };
  const frames = Array.from(names.id, (name, func) => {
    const object = module[func] >= 0 ? String(module[func]) : objectOf(profile, func);
    return {
      name: functions.of(names.text[name] || '[unknown]'),
      mapping: mappings.of(object),
      // The kernel's are told less 2^64; where there is none, its own index keeps functions apart.
      rel: Math.abs(Math.round(address?.[func] ?? 0)) || func + 1,
      file: file[func] > 0 ? files.of(raw.strings[file[func]]) : 0,
    };
  });
  return (data) => {
    const entries = [...mappings.known].map(([key, id]) => {
      const own = /^\d+$/.test(key) ? Number(key) : -1;
      const path = own >= 0 ? raw.strings[raw.modules.path[own]] : key;
      const build = own >= 0 ? raw.strings[raw.modules.buildId[own]] : '';
      const parts = path.split('/').filter((part) => part !== '');
      return { id, own, build: builds.of(build), parts: parts.map((part) => paths.of(part)) };
    });
    interned(data, 5, functions);
    interned(data, 16, builds);
    interned(data, 17, paths);
    interned(data, 18, files);
    for (const { id, own, build, parts } of entries) {
      message(data, 19, (mapping) => {
        number(mapping, 1, id);
        number(mapping, 2, build);
        if (own >= 0) {
          number(mapping, 4, raw.modules.start[own]);
          number(mapping, 5, raw.modules.end[own]);
        }
        for (const part of parts) number(mapping, 7, part);
      });
    }
    frames.forEach((frame, func) => {
      message(data, 6, (entry) => {
        number(entry, 1, func + 1);
        number(entry, 2, frame.name);
        number(entry, 3, frame.mapping);
        number(entry, 4, frame.rel);
        if (frame.file > 0) number(entry, 5, frame.file);
        if (frame.file > 0 && line[func] > 0) number(entry, 6, line[func]);
        number(entry, 7, frameKind(profile, func));
      });
    });
  };
}

module.exports = { internedData };
