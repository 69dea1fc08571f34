'use strict';
// rspack-prof import: a perf.data, perf's own or one of ours, by the pipeline of a recording; writes a
// profile and prints its table.

const path = require('node:path');
const { numberOf, textOf } = require('./args.js');
const { writeResult } = require('./files.js');
const { say } = require('./say.js');
const { FILE } = require('../folder.js');
const { renderHotspots } = require('../table.js');

/** @typedef {import('./main.js').World} World */

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'import',
  summary: 'make a profile of a perf.data',
  usage: 'PERF.DATA [OPTIONS]',
  positionals: [1, 1],
  options: {
    output: { type: 'string', short: 'o', value: 'FILE', help: `profile to write (${FILE})` },
    'perf-map': {
      type: 'string',
      value: 'FILE',
      help: 'names of JavaScript (perf-PID.map beside PERF.DATA, then in /tmp)',
    },
    event: {
      type: 'string',
      short: 'e',
      value: 'EVENT',
      help: 'the event (the first with samples)',
    },
    pid: { type: 'string', value: 'PID', help: 'the process (the one with the most samples)' },
  },
  notes: [
    'Stacks that perf dumped (--call-graph dwarf) are unwound again, by the files on this machine.',
  ],
};

/**
 * @param {import('../profile/raw').RawProfile} raw
 */
function profileOf(raw) {
  const { splitEvents } = require('../profile/events.js');
  const { Profile } = require('../profile/profile.js');
  const context = { command: raw.meta.command ?? '', node: '', rspack: null, binding: null };
  return new Profile(splitEvents(raw).raw, { context });
}

/** @type {import('./main.js').Command['run']} */
async function run(parsed, world) {
  const full = (/** @type {string | undefined} */ file) => file && path.resolve(world.cwd, file);
  const file = path.resolve(world.cwd, parsed.positionals[0]);
  const native = world.loadNative();
  const raw = await native.importPerfData(file, {
    perfMap: full(textOf(parsed, 'perf-map')),
    event: textOf(parsed, 'event'),
    pid: numberOf(parsed, 'pid', { least: 1, most: 0xffffffff, whole: true }),
  });
  const profile = profileOf(raw);
  const output = textOf(parsed, 'output') ?? FILE;
  const { firefoxFile } = require('../export/firefox.js');
  const pieces = firefoxFile(profile, { gzip: output.endsWith('.gz') });
  await writeResult(pieces, output, world);
  if (output === '-') return 0; // the profile is the result
  world.stdout.write(renderHotspots(profile, { stream: world.stdout }));
  say(world, `${output} is written: read it with 'rspack-prof report ${output}'`);
  return 0;
}

module.exports = { run, spec };
