'use strict';
// rspack-prof doctor: what keeps profiles on this machine from being good. It opens one event to see
// whether it may, and records nothing.

const { writeJson } = require('./files.js');
const { terminalOf, warningLines } = require('../terminal.js');
const { gatherFacts, systemReader } = require('../doctor/facts.js');
const { TIMERS } = require('../doctor/profile-facts.js');
const { RULES } = require('../doctor/rules.js');
const pkg = require('../../package.json');

/** @typedef {import('../doctor/facts.js').Facts} Facts */
/** @typedef {{ code: string, severity: 'blocker' | 'advice', message: string, fix: string }} Finding */

/** What start() asks for by itself; without a PMU the addon steps down from it. */
const EVENT = 'cycles:uk';

/** @type {import('./args.js').CommandSpec} */
const spec = {
  name: 'doctor',
  summary: 'what keeps profiles here from being good, and how to mend it',
  usage: '[--json]',
  positionals: [0, 0],
  options: { json: { type: 'boolean', help: 'findings as JSON' } },
  notes: [
    'Exit code: 0 where profiles can be recorded, 1 where not, 3 where permission is missing.',
  ],
};

/**
 * @param {Facts} facts
 * @returns {{ findings: Finding[], fine: string[] }}
 */
function examine(facts) {
  /** @type {Finding[]} */
  const findings = [];
  /** @type {string[]} */
  const fine = [];
  const byTimers = facts.probe?.event === TIMERS;
  for (const rule of RULES) {
    if (rule.in === 'profile' || (rule.binding && !facts.binding)) continue;
    if (rule.events && byTimers) continue;
    const advice = rule.check(facts, null);
    if (advice) findings.push({ code: rule.code, severity: rule.severity, ...advice });
    else fine.push(rule.title);
  }
  return { findings, fine };
}

/**
 * @param {Facts} facts
 * @returns {number} exit code
 */
function exitCodeFor({ probe }) {
  if (!probe || probe.ok) return 0;
  return probe.code === 'ERR_PROF_PERMISSION' ? 3 : 1;
}

/** @param {Facts} facts */
function machineLine(facts) {
  const { core, binding } = facts;
  const parts = [
    `rspack-prof ${pkg.version}`,
    `node ${process.version}`,
    `${facts.platform} ${facts.kernel} ${facts.arch}`,
    `${facts.cpus} CPU${facts.cpus === 1 ? '' : 's'}`,
    core ? `@rspack/core ${core.version}` : 'no @rspack/core here',
  ];
  if (binding) parts.push(`binding ${binding.version ?? binding.file}`);
  return parts.join(', ');
}

/** @type {import('./main.js').Command['run']} */
function run({ values }, world) {
  const { env, cwd, loadNative } = world;
  const reader = { ...systemReader(), env, cwd, ...world.reader, loadNative };
  const facts = gatherFacts(reader, { event: EVENT });
  const { findings, fine } = examine(facts);
  const exitCode = exitCodeFor(facts);
  if (values.json) {
    const { version } = pkg;
    const { platform, arch, kernel, cpus, core, binding } = facts;
    const machine = { platform, arch, kernel, cpus, node: process.version };
    const rspack = { core: core?.version ?? null, binding: binding?.file ?? null };
    writeJson({ schema: 1, ok: exitCode === 0, version, machine, rspack, findings, fine }, world);
    return exitCode;
  }
  const terminal = terminalOf({ stream: world.stdout });
  const lines = [machineLine(facts), '', ...fine.map((title) => `ok: ${title}`)];
  if (findings.length > 0) lines.push('', ...warningLines(findings, terminal));
  if (!facts.binding) {
    lines.push(
      '',
      'no rspack binding is found from here: run it in the project for advice on that',
    );
  }
  lines.push('', exitCode === 0 ? 'profiles can be recorded here' : 'nothing can be recorded here');
  world.stdout.write(`${lines.join('\n')}\n`);
  return exitCode;
}

module.exports = { run, spec };
