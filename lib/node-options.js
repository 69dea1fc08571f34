'use strict';
// What is put into NODE_OPTIONS so that each node process of a command loads a file of ours.

/**
 * A path as one word of NODE_OPTIONS: node splits at blanks and knows double quotes, in which a
 * backslash takes the next character as it is (node 12 and later).
 * @param {string} file
 */
function nodeOptionsWord(file) {
  return /[\s"\\]/.test(file) ? `"${file.replace(/["\\]/g, '\\$&')}"` : file;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} file
 * @returns {string} for NODE_OPTIONS; ours first: what the others load is part of the build
 */
function optionsToLoad(env, file) {
  const ours = `--require=${nodeOptionsWord(file)}`;
  const given = env.NODE_OPTIONS?.trim();
  return given ? `${ours} ${given}` : ours;
}

module.exports = { nodeOptionsWord, optionsToLoad };
