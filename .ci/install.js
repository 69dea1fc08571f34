'use strict';
// npm's install hook. On Linux x64 with glibc it takes the addon that came with the package, where that
// one loads, else builds it (`npm install --build-from-source`: always). Anywhere else it says in one
// line that profiling will not work there, and succeeds: a team's Linux-only tool must not break
// the install of those who work on a Mac.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { buildAddon } = require('./addon.js');
const { howToInstall, missingNeeds, thisMachine, unsupportedHere } = require('./system.js');

/** @param {string} line */
function say(line) {
  process.stderr.write(`rspack-prof: ${line}\n`);
}

/** @returns {boolean} whether the prebuilt addon is there and loads here */
function prebuiltLoads() {
  if (process.env.npm_config_build_from_source) return false;
  const prebuilds = path.join(__dirname, '..', 'prebuilds');
  if (!fs.existsSync(prebuilds)) return false;
  const file = JSON.stringify(path.join(prebuilds, 'linux-x64', 'rspack-prof.glibc.node'));
  const { status, stderr } = spawnSync(process.execPath, ['-e', `require(${file})`]);
  if (status !== 0) {
    const why = /Error: (.*)/.exec(String(stderr))?.[1] ?? `exit code ${status}`;
    say(`the addon that came with the package does not load here (${why}): building it`);
  }
  return status === 0;
}

function main() {
  const reason = unsupportedHere();
  if (reason) {
    say(`the addon is not built, for it runs on Linux x64 with glibc only and ${reason}`);
    return 0;
  }
  if (prebuiltLoads()) return 0;
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
