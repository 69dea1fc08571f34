'use strict';
// Where a function stands in its source, as V8 names its code: file, line and column. The addon asks
// V8 (src/addon/place.h); before it is believed, it must know a function of this file.

const { fileURLToPath } = require('node:url');
const { loadNative } = require('../native.js');

/** @typedef {{file: string, line: number, column: number}} Place */
/** @typedef {(fn: unknown) => Place | null} PlaceOf */

/** @param {string} name a path, a file: URL (ES modules) or something else (node:fs) */
function plainFile(name) {
  if (!name.startsWith('file:')) return name;
  try {
    return fileURLToPath(name);
  } catch {
    return name;
  }
}

/**
 * @param {(fn: unknown) => unknown} ask
 * @returns {PlaceOf}
 */
const reader = (ask) => (fn) => {
  const place = ask(fn);
  if (!Array.isArray(place)) return null;
  const [file, line, column] = place;
  return { file: plainFile(file), line, column };
};

/**
 * @param {() => import('../profile/raw').NativeAddon} native
 * @returns {PlaceOf | null} null where this node does not tell
 */
function placeReader(native = loadNative) {
  try {
    const { functionPlace } = native();
    if (typeof functionPlace !== 'function') return null;
    const read = reader(functionPlace);
    const place = read(plainFile.bind(null));
    const isRight = place?.file === __filename && place.line > 0 && place.column > 0;
    return isRight ? read : null;
  } catch {
    return null; // said in the profile's warnings (index.js)
  }
}

module.exports = { placeReader };
