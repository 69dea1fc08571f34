'use strict';
// rspack-prof open: the HTML report of a profile, served to this machine's browsers until Ctrl-C.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const { numberOf } = require('./args.js');
const { openProfile, profilePath } = require('./files.js');
const { say } = require('./say.js');
const { ENDING, listen } = require('./signals.js');
const { ProfError } = require('../errors.js');

/** The page loads everything at once: what goes unread this long was forgotten. */
const IDLE_MINUTES = 30;

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'open',
  summary: 'look around in a profile, in the browser',
  usage: '[FILE] [OPTIONS]',
  positionals: [0, 1],
  options: {
    port: { type: 'string', value: 'N', help: 'the port on 127.0.0.1 (a free one)' },
    'no-browser': { type: 'boolean', help: 'only print where the report is' },
  },
  notes: [
    'FILE is the newest profile below .rspack-prof/ unless given.',
    `Ends with Ctrl-C, or after ${IDLE_MINUTES} minutes without a request.`,
    'The browser is $BROWSER, or xdg-open where there is a display.',
  ],
};

/**
 * As others read $BROWSER: commands with ':' between them, the first that starts is taken; %s in one is
 * the address. Without a display xdg-open would start a browser in this terminal.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} url
 * @returns {string[][]} command lines to try
 */
function browsers(env, url) {
  const display = env.DISPLAY || env.WAYLAND_DISPLAY;
  const commands = env.BROWSER ? env.BROWSER.split(':') : display ? ['xdg-open'] : [];
  return commands
    .map((command) => command.split(/\s+/).filter((word) => word !== ''))
    .filter((words) => words.length > 0)
    .map((words) =>
      words.some((word) => word.includes('%s'))
        ? words.map((word) => word.replaceAll('%s', () => url))
        : [...words, url],
    );
}

/**
 * @param {string[][]} commands
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<boolean>} whether one was started
 */
async function startFirst(commands, env) {
  for (const [file, ...args] of commands) {
    const started = await new Promise((resolve) => {
      // Detached: Ctrl-C here does not close the browser.
      const child = spawn(file, args, { env, detached: true, stdio: 'ignore' });
      child.once('error', () => resolve(false));
      child.once('spawn', () => {
        child.unref();
        resolve(true);
      });
    });
    if (started) return true;
  }
  return false;
}

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const port = numberOf(parsed, 'port', { least: 0, most: 65535, whole: true });
  const file = profilePath(parsed.positionals[0], world.cwd);
  if (fs.statSync(file, { throwIfNoEntry: false })?.isFIFO()) {
    throw new ProfError('ERR_PROF_BAD_FILE', `${file} is a pipe: open needs a file`);
  }
  const profile = openProfile(file, world.cwd);
  const { firefoxFile } = require('../export/firefox.js');
  const { htmlReport } = require('../html/report.js');
  const { serve } = require('./serve.js');
  const served = await serve({
    page: htmlReport(profile).join(''),
    // A bundle's profile is a part of its file.
    profile: fs.existsSync(file)
      ? fs.readFileSync(file)
      : Buffer.concat(firefoxFile(profile, { gzip: true })),
    port,
    idleMs: IDLE_MINUTES * 60_000,
  });
  const release = listen(ENDING, served.close);
  world.stdout.write(`${served.url}\n${served.firefox}\n`);
  say(world, `Ctrl-C ends this, as do ${IDLE_MINUTES} minutes without a request`);
  if (!parsed.values['no-browser']) {
    const found = await startFirst(browsers(world.env, served.url), world.env);
    if (!found) {
      say(world, 'no browser started ($BROWSER, xdg-open): open the first address yourself');
    }
  }
  const why = await served.ended;
  release();
  if (why === 'idle') say(world, `ended after ${IDLE_MINUTES} minutes without a request`);
  return 0;
}

module.exports = { browsers, run, spec };
