'use strict';
// The command line as a program of its own, with a made-up addon: for what needs a real process.

const path = require('node:path');
const { main } = require('../../lib/cli/main.js');
const { fakeNative } = require('./cli-support.js');

main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  loadNative: () => fakeNative(),
  register: process.env.FAKE_REGISTER ?? path.join(__dirname, 'cli-fake-register.js'),
}).then((exitCode) => {
  process.exitCode = exitCode;
});
