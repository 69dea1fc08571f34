'use strict';
// rspack-prof list: the events of this machine, and why those that do not open do not.

const { writeJson } = require('./files.js');
const { ProfError } = require('../errors.js');
const { printable, terminalOf } = require('../terminal.js');
const { middle } = require('../shorten.js');

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'list',
  summary: 'the events that can be recorded here',
  usage: '[GLOB] [--json]',
  positionals: [0, 1],
  options: { json: { type: 'boolean', help: 'events as JSON' } },
  notes: [
    "GLOB matches names: 'cache*' (quoted, so that the shell leaves it alone).",
    'After a name: :u user mode, :k the kernel, :uk both, :p to :ppp more exact places (cycles:up). ' +
      "perf's names and libpfm4's are taken: L1-dcache-loads, skl::INST_RETIRED:ANY_P, r1c2, " +
      'cpu/event=0x3c,umask=0/, sched:sched_switch.',
  ],
};

/**
 * @param {string} glob `*` any text, `?` one character; anything else stands for itself
 * @returns {RegExp}
 */
function globRegex(glob) {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i');
}

/**
 * Tracepoints come as their folders lie on disk.
 * @param {import('../index').EventInfo[]} events
 */
function inOrder(events) {
  const isTracepoint = (/** @type {import('../index').EventInfo} */ { type, form }) =>
    type === 'tracepoint' && !form;
  const from = events.findIndex(isTracepoint);
  if (from < 0) return events;
  const tracepoints = events.filter(isTracepoint);
  tracepoints.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...events.slice(0, from), ...tracepoints, ...events.slice(from + tracepoints.length)];
}

/** @type {import('./main.js').Command['run']} */
function run({ values, positionals }, world) {
  const [glob] = positionals;
  const wanted = glob === undefined ? null : globRegex(glob);
  const events = inOrder(world.loadNative().events()).filter(
    ({ name }) => !wanted || wanted.test(name),
  );
  if (values.json) {
    writeJson({ schema: 1, events }, world);
    return 0;
  }
  if (events.length === 0) {
    throw new ProfError('ERR_PROF_BAD_EVENT', `no event matches '${glob ?? '*'}'`);
  }
  const { width, paint } = terminalOf({ stream: world.stdout });
  const nameColumns = Math.min(40, Math.max(...events.map(({ name }) => name.length)));
  const typeColumns = Math.max(...events.map(({ type }) => type.length));
  for (const { name, type, description, available, reason } of events) {
    const head = `${name.padEnd(nameColumns)}  ${type.padEnd(typeColumns)}  `;
    const text = printable(available ? description : `not here: ${reason}`);
    const line = (head + middle(text, Math.max(20, width - head.length))).trimEnd();
    world.stdout.write(`${available ? line : paint('dim', line)}\n`);
  }
  return 0;
}

module.exports = { run, spec };
