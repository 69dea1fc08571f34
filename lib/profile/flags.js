'use strict';
// Bits and numbers of the raw columns that more than one file asks about: docs/raw-profile.md, src/profile/samples.h.

/** Of samples.flags. */
const SAMPLE = Object.freeze({ JOINED: 1, IN_KERNEL: 2, IN_HANDLER: 4, GUESSED: 8 });
/** Of modules.flags. */
const MODULE = Object.freeze({ HAS_SYMBOLS: 1, HAS_LINES: 4 });
/** By samples.end. */
const ENDS = Object.freeze(['complete', 'truncated', 'broken']);

module.exports = { ENDS, MODULE, SAMPLE };
