'use strict';
// What --help prints, from the same table that a command's arguments are read by, at 80 columns.

const { wrap } = require('../terminal.js');

const COLUMNS = 80;

/**
 * @param {[name: string, about: string][]} rows
 * @returns {string[]} lines of two columns
 */
function twoColumns(rows) {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.flatMap(([name, about]) =>
    wrap(about, COLUMNS - width).map((line, i) => (i === 0 ? name : '').padEnd(width) + line),
  );
}

/**
 * @param {import('./args.js').CommandSpec} spec
 * @returns {string}
 */
function helpText({ name, usage, summary, options, choices, notes = [] }) {
  /** @type {[string, string][]} */
  const flags = Object.entries(options).map(([flag, { short, value, help }]) => [
    `  ${short ? `-${short}, ` : '    '}--${flag}${value ? ` ${value}` : ''}`,
    help,
  ]);
  flags.push(['  -h, --help', 'show this']);
  const lines = wrap(`usage: rspack-prof ${name} ${usage}`, COLUMNS);
  lines.push('', summary, '', ...twoColumns(flags));
  if (choices) {
    const rows = Object.entries(choices).map(([word, about]) => [`  ${word}`, about]);
    lines.push('', ...twoColumns(/** @type {[string, string][]} */ (rows)));
  }
  for (const note of notes) lines.push('', ...wrap(note, COLUMNS));
  return `${lines.join('\n')}\n`;
}

/**
 * @param {import('./args.js').CommandSpec[]} specs
 * @returns {string}
 */
function commandsText(specs) {
  return `usage: rspack-prof COMMAND [OPTIONS]

Profiles an rspack build from inside its own process.

${twoColumns(specs.map(({ name, summary }) => [`  ${name}`, summary])).join('\n')}

'rspack-prof COMMAND --help' tells a command's options, --version the version.
`;
}

module.exports = { commandsText, helpText };
