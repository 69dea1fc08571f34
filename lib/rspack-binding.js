'use strict';
// rspack's native binding by its name, which napi-rs makes of platform, architecture and C library.

const path = require('node:path');

/** `rspack.linux-x64-gnu.node`; the group is the target. */
const BINDING = /^rspack\.([\w.-]+)\.node$/;

/** @param {string} file a path or a name */
const isBinding = (file) => BINDING.test(path.basename(file));

module.exports = { BINDING, isBinding };
