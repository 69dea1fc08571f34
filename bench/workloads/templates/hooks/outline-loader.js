// A loader in JavaScript on every module, before swc: it reads the source word by word and adds an
// outline of it as an export. Its functions are named, for a profile is searched for them.

/** @param {string} source */
function countWords(source) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const [word] of source.matchAll(/[A-Za-z_$][\w$]*/g)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** @param {Map<string, number>} counts */
function mostFrequent(counts) {
  return [...counts]
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, 5)
    .map(([word]) => word);
}

/**
 * @this {import('@rspack/core').LoaderContext}
 * @param {string} source
 */
module.exports = function outlineLoader(source) {
  return `${source}\nexport const outline = ${JSON.stringify(mostFrequent(countWords(source)))};\n`;
};
