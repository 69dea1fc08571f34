'use strict';
// npm's install hook. On Linux x64 with glibc it builds the addon. Anywhere else it says in one
// line that profiling will not work there, and succeeds: a team's Linux-only tool must not break
// the install of those who work on a Mac.

const { buildAddon } = require('./addon.js');
const { howToInstall, missingNeeds, thisMachine, unsupportedHere } = require('./system.js');

/** @param {string} line */
function say(line) {
  process.stderr.write(`rspack-prof: ${line}\n`);
}

function main() {
  const reason = unsupportedHere();
  if (reason) {
    say(`the addon is not built, for it runs on Linux x64 with glibc only and ${reason}`);
    return 0;
  }
  const machine = thisMachine();
  const missing = missingNeeds('build', machine);
  if (missing.length > 0) {
    say(
      `the addon cannot be built, libraries or tools are missing; ` +
        `${howToInstall(missing, machine.hasCommand('apt-get'))}, then install again`,
    );
    return 1;
  }
  const { error } = buildAddon();
  if (error) say(`the addon was not built: ${error}`);
  return error ? 1 : 0;
}

process.exitCode = main();
