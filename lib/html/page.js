'use strict';
// Puts a page together: the template, its style, the view's modules, and the data. Nothing in the file
// refers to anything outside of it, and the page's own policy forbids it to load anything.

const fs = require('node:fs');
const path = require('node:path');

const VIEW = path.join(__dirname, 'view');
const MAIN = 'main.js';
/** Used by the view, but not of it. */
const SHARED = {
  '../../noise.js': path.join(__dirname, '..', 'noise.js'),
  '../../shorten.js': path.join(__dirname, '..', 'shorten.js'),
};

/** @param {string} text */
function escapeHtml(text) {
  /** @type {Record<string, string>} */
  const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (char) => entities[char]);
}

/** What would end the element that a script stands in. @param {string} text */
const inScript = (text) => text.replace(/<\/(script)|<!--/gi, '<\\$&').replace(/<\\<\//g, '<\\/');

/**
 * The view's modules as one classic script: an ES module on a page from disk cannot import another.
 * @returns {string}
 */
function viewScript() {
  const files = fs.readdirSync(VIEW).filter((name) => name.endsWith('.js'));
  const sources = [
    ...files.map((name) => /** @type {const} */ ([`./${name}`, path.join(VIEW, name)])),
    ...Object.entries(SHARED),
  ];
  const modules = sources.map(([name, file]) => {
    const text = fs.readFileSync(file, 'utf8').replace(/^'use strict';\n/, '');
    return `${JSON.stringify(name)}(module, require) {\n${text}}`;
  });
  return inScript(
    [
      `(() => {\n'use strict';`,
      `const modules = {\n${modules.join(',\n')}\n};`,
      'const loaded = {};',
      'const require = (name) => {',
      '  if (!loaded[name]) modules[name]((loaded[name] = { exports: {} }), require);',
      '  return loaded[name].exports;',
      '};',
      `require('./${MAIN}');`,
      '})();',
    ].join('\n'),
  );
}

/**
 * @param {{title: string, heading: string, summary: string, data: string}} values plain texts; data of pack()
 * @returns {string[]} the page in pieces
 */
function pageOf({ title, heading, summary, data }) {
  const read = (/** @type {string} */ name) => fs.readFileSync(path.join(__dirname, name), 'utf8');
  /** @type {Record<string, string>} */
  const values = {
    TITLE: escapeHtml(title),
    HEADING: escapeHtml(heading),
    SUMMARY: escapeHtml(summary),
    STYLE: read('style.css'),
    DATA: data,
    SCRIPT: viewScript(),
  };
  // Cut, not replaced: a value's own "{{" or "$&" is not looked at.
  return read('page.html')
    .split(/(?:\/\* )?\{\{([A-Z]+)\}\}(?: \*\/)?/)
    .map((part, i) => (i % 2 === 0 ? part : values[part]));
}

module.exports = { pageOf };
