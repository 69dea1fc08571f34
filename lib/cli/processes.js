'use strict';
// rspack-prof processes: those of this user that `record -p` can attach to, and whether one is recorded.

const { writeJson } = require('./files.js');
const { say } = require('./say.js');
const { attach, sweep } = require('../attach/client.js');
const { sockets } = require('../attach/place.js');
const { printable, terminalOf } = require('../terminal.js');
const { middle } = require('../shorten.js');

/** A build may keep a process from answering; it is listed all the same. */
const PATIENCE_MS = 2000;

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'processes',
  summary: "the processes that 'record -p' can attach to",
  usage: '[--json]',
  positionals: [0, 0],
  options: { json: { type: 'boolean', help: 'processes as JSON' } },
  notes: [
    'A process is attachable that was started with NODE_OPTIONS=--require=rspack-prof/attachable, or ' +
      "has called require('rspack-prof').attachable().",
  ],
};

/**
 * @param {number} pid
 * @param {import('./main.js').World} world
 */
async function ask(pid, world) {
  try {
    const attached = await attach(pid, world.loadNative(), { patienceMs: PATIENCE_MS });
    const status = await attached.ask('status');
    attached.close();
    return { .../** @type {import('../attach/client.js').RemoteStatus} */ (status), answers: true };
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    // What a process left that has ended is no process.
    if (code !== 'ERR_PROF_SYSTEM') return null;
    return { pid, node: '', command: message, cwd: '', recording: null, answers: false };
  }
}

/** @type {import('./main.js').Command['run']} */
async function run({ values }, world) {
  await sweep();
  const asked = await Promise.all(sockets().map(({ pid }) => ask(pid, world)));
  const processes = asked.flatMap((one) => one ?? []).sort((a, b) => a.pid - b.pid);
  if (values.json) {
    writeJson({ schema: 1, processes }, world);
    return 0;
  }
  if (processes.length === 0) {
    say(
      world,
      'no process is attachable: start it with NODE_OPTIONS=--require=rspack-prof/attachable',
    );
    return 0;
  }
  const { width } = terminalOf({ stream: world.stdout });
  for (const { pid, command, cwd, recording } of processes) {
    const by = recording?.by === pid ? 'itself' : recording?.by;
    const state = recording ? `  recorded by ${by} since ${recording.since}` : '';
    const head = `${String(pid).padStart(7)}  `;
    const where = cwd ? `  (${cwd})` : '';
    const text = printable(`${command}${where}${state}`);
    world.stdout.write(`${head}${middle(text, Math.max(20, width - head.length))}\n`);
  }
  return 0;
}

module.exports = { run, spec };
