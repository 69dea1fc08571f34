'use strict';
// What keeps a profile from being good: one small rule each, with the one command that mends it.
// A rule judges facts (facts.js) and, where there is one, a profile; it asks the system nothing.
// Rules with `in: 'doctor'` tell about the machine before a recording; those with `in: 'profile'`
// about what happened in one, and speak only of what did happen there; `in: 'both'` suit both.

const path = require('node:path');
const { grouped } = require('../grouped.js');
const { BINDING } = require('../rspack-binding.js');
const { bindingOf, shareIn, shareThrough } = require('./profile-facts.js');

/**
 * @typedef {import('./facts.js').Facts} Facts
 * @typedef {import('../profile/raw').RawProfile} RawProfile
 * @typedef {{ message: string, fix: string }} Advice fix: one command, or ''
 *
 * @typedef {object} Rule
 * @property {string} code
 * @property {string[]} [sameAs] codes under which the recorder itself says the same
 * @property {string} title what the doctor calls it where all is well
 * @property {boolean} [events] whether it judges perf events: the doctor is silent about those where
 *   timers have taken their place (the rule cpu-timers says that and why)
 * @property {'doctor' | 'profile' | 'both'} in
 * @property {boolean} [binding] whether it judges rspack's binding: without one here it is silent
 * @property {'blocker' | 'advice'} severity blocker: nothing can be recorded
 * @property {(facts: Facts, profile: RawProfile | null) => Advice | null} check
 */

/** Below this, a share of 1 % is 5 samples, and its error is as large as itself. */
const FEW_SAMPLES = 500;
/** The event where perf events are refused (src/perf/cputimer.h). */
const TIMERS = 'cpu-timer';
const GOOD_COMPLETE_SHARE = 0.98;
/** Guessed callers and the profiler's own cost are told from here on. */
const GUESSED_SHOWN_FROM = 0.05;
const COST_SHOWN_FROM = 0.05;
/** Starting costs 10 to 60 ms at any frequency: below this it is most of the cost. */
const COST_TOLD_FROM_MS = 1000;
/** A debug binding shows itself by the checks that swc compiles in (rspack 2.2.7). */
const ASSERTION = 'AssertValid';
const ASSERTIONS_SHOWN_FROM = 0.005;
/** Descriptors: one for each thread and CPU. A build has some 16 threads and 4 for each core. */
const descriptorsFor = (/** @type {number} */ cpus) => (16 + 4 * cpus) * (cpus + 1) + 256;
/** A ring of 512 KB and its control page; smaller ones lose samples at 4000 Hz. */
const GOOD_RING_KB = 516;

const INSTALL = { npm: 'npm install -D', pnpm: 'pnpm add -D', yarn: 'yarn add -D' };

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(1)} %`;

/**
 * A word of a command, quoted where a shell would take it apart.
 * @param {string} word
 */
const quoted = (word) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;

/**
 * The binding of the profile, else the one that a build here would load.
 * @param {Facts} facts
 * @param {RawProfile | null} profile
 */
function bindingIn(facts, profile) {
  if (!profile) return facts.binding;
  const loaded = bindingOf(profile);
  // The profile may be from another machine; then only its own words count.
  const version = loaded && facts.bindingVersion(loaded.file);
  return loaded && { ...loaded, version };
}

/**
 * @param {Facts} facts
 * @param {string} file of the stripped binding
 * @param {string} version
 */
function useDebugBinding(facts, file, version) {
  const target = BINDING.exec(path.basename(file))?.[1] ?? 'linux-x64-gnu';
  const name = `@rspack-debug/binding-${target}`;
  const have = facts.installed(name);
  const use = (/** @type {string} */ at) => `RSPACK_BINDING=${quoted(at)} npx rspack build`;
  if (have && facts.bindingVersion(have) === version) return { name, fix: use(have) };
  const at = path.join(facts.cwd, 'node_modules', name, `rspack.${target}.node`);
  return { name, fix: `${INSTALL[facts.packageManager]} ${name}@${version} && ${use(at)}` };
}

/** @type {Rule[]} */
const RULES = [
  {
    code: 'cannot-record',
    title: 'something can be recorded',
    in: 'doctor',
    severity: 'blocker',
    check: ({ probe, paranoid, root, seccomp }) => {
      if (!probe || probe.ok) return null;
      const refused = probe.code === 'ERR_PROF_PERMISSION';
      // The rules on the sysctl and on seccomp name the cause; then the command stands there.
      const known = refused && ((!root && (paranoid ?? 0) > 2) || seccomp === 2);
      return {
        message: `nothing can be recorded: ${probe.message}`,
        fix: refused && !known ? 'sudo sysctl kernel.perf_event_paranoid=1' : '',
      };
    },
  },
  {
    code: 'seccomp',
    events: true,
    title: 'no seccomp filter refuses perf_event_open',
    in: 'doctor',
    severity: 'blocker',
    check: ({ probe, seccomp, paranoid, root }) => {
      if (seccomp !== 2 || !probe || probe.ok || probe.code !== 'ERR_PROF_PERMISSION') return null;
      // A filter is likely only where the sysctl would have let it through.
      if (!root && (paranoid ?? 0) > 2) return null;
      return {
        message:
          "a seccomp filter is in force and perf_event_open is refused: the container's default " +
          'profile does that',
        fix: 'docker run --security-opt seccomp=unconfined --cap-add PERFMON ...',
      };
    },
  },
  {
    code: 'cpu-timers',
    title: 'perf events rather than timers of CPU time',
    in: 'doctor',
    severity: 'advice',
    // The recorder itself knows why, and says it in each profile too.
    check: ({ probe }) => {
      const note = probe?.warnings?.find(({ code }) => code === 'cpu-timers');
      return note ? { message: note.message, fix: note.fix } : null;
    },
  },
  {
    code: 'kernel-excluded',
    events: true,
    title: 'perf_event_paranoid lets kernel frames be recorded',
    in: 'both',
    severity: 'advice',
    check: ({ paranoid, root, probe }, profile) => {
      if (profile ? profile.meta.hasKernel : root) return null;
      if ((profile ? profile.meta.event : probe?.event) === TIMERS) return null; // says so itself
      // Asked for user frames alone: nothing is missing.
      if (profile && /:[^k]*u[^k]*$/.test(profile.meta.requestedEvent)) return null;
      if (root || paranoid === null || paranoid < 2) return null;
      // Values above 2 are those of Debian's and Ubuntu's kernels; to others they are as good as 2.
      const refused = paranoid > 2 && probe?.ok === false;
      const what = refused
        ? 'refuses perf events to whoever is not root'
        : 'leaves out kernel frames';
      const elsewhere =
        paranoid > 2 && !refused ? '; kernels of Debian and Ubuntu refuse perf events with it' : '';
      return {
        message: `perf_event_paranoid is ${paranoid}, which ${what}${elsewhere}`,
        fix: 'sudo sysctl kernel.perf_event_paranoid=1',
      };
    },
  },
  {
    code: 'kernel-addresses-hidden',
    events: true,
    sameAs: ['no-kernel-symbols'],
    title: 'kernel symbols are readable',
    in: 'both',
    severity: 'advice',
    check: ({ kptrRestrict, kernelSymbols, paranoid, root }, profile) => {
      if (profile && !profile.meta.hasKernel) return null;
      if (kernelSymbols === true) return null;
      if (kernelSymbols === false && kptrRestrict === 0 && (paranoid ?? 0) > 1) {
        // kallsyms_show_value(), 4.15 to 6.18: without CAP_SYSLOG up to perf_event_paranoid 1.
        return {
          message:
            '/proc/kallsyms hides addresses from this user ' +
            `(perf_event_paranoid is ${paranoid}): kernel functions have no names`,
          fix: 'sudo sysctl kernel.perf_event_paranoid=1',
        };
      }
      // 0 shows addresses to everybody who may use perf; 1 to CAP_SYSLOG; 2 to nobody.
      if (kptrRestrict === null || kptrRestrict === 0 || (root && kptrRestrict === 1)) return null;
      return {
        message: `kptr_restrict is ${kptrRestrict}: kernel functions have no names`,
        fix: 'sudo sysctl kernel.kptr_restrict=0',
      };
    },
  },
  {
    code: 'no-hardware-pmu',
    events: true,
    title: 'hardware counters',
    in: 'both',
    severity: 'advice',
    check: ({ hasPmu }, profile) => {
      if (profile ? profile.meta.hasPmu : hasPmu) return null;
      if (profile?.meta.event === TIMERS) return null; // another thing is missing there
      const { event, requestedEvent } = profile?.meta ?? {};
      if (event && !event.startsWith('cpu-clock')) return null; // it counts what it says
      if (requestedEvent?.startsWith('cpu-clock')) return null; // as it was asked for
      return {
        message:
          'this machine shows no hardware counters (a virtual machine, most often): cpu-clock is ' +
          'sampled instead of cycles, and cache misses or instructions cannot be counted',
        fix: '',
      };
    },
  },
  {
    code: 'no-sigtrap',
    events: true,
    title: 'the kernel lets threads walk their own stacks (5.19 and later)',
    in: 'doctor',
    severity: 'advice',
    check: ({ kernel }) => {
      const [major, minor] = kernel.split('.').map((part) => parseInt(part, 10));
      // sigtrap is of 5.13; up to 5.18 a thread that blocks SIGTRAP is killed by it.
      if (!(major < 5 || (major === 5 && minor < 19))) return null;
      return {
        message: `kernel ${kernel} is older than 5.19: stacks are copied, and many are cut off`,
        fix: '',
      };
    },
  },
  {
    code: 'too-few-files',
    events: true,
    title: 'open files (RLIMIT_NOFILE)',
    in: 'doctor',
    severity: 'advice',
    check: ({ files, cpus }) => {
      const needed = descriptorsFor(cpus);
      // The profiler raises the soft limit by itself as far as the hard one.
      if (!files || files.hard >= needed) return null;
      return {
        message:
          `at most ${grouped(files.hard)} files may be open and a build on ${cpus} CPUs needs ` +
          `about ${grouped(needed)}: one for each thread and CPU`,
        fix: `sudo prlimit --pid $$ --nofile=${needed}`,
      };
    },
  },
  {
    code: 'memory-lock',
    events: true,
    title: 'memory for ring buffers (mlock limit)',
    in: 'doctor',
    severity: 'advice',
    check: ({ mlockKb, lockedBytes, cpus, mayLock, paranoid }) => {
      if (mayLock || paranoid === -1 || mlockKb === null || !lockedBytes) return null;
      const perCpu = mlockKb + lockedBytes.soft / 1024 / cpus;
      if (perCpu >= GOOD_RING_KB) return null;
      return {
        message:
          `ring buffers get only ${Math.floor(perCpu)} KB a CPU (perf_event_mlock_kb is ${mlockKb})` +
          ': samples may be lost at high rates',
        fix: `sudo sysctl kernel.perf_event_mlock_kb=${GOOD_RING_KB}`,
      };
    },
  },
  {
    code: 'rate-limited',
    events: true,
    title: 'sampling rate (perf_event_max_sample_rate)',
    in: 'doctor',
    severity: 'advice',
    check: ({ maxSampleRate }) => {
      if (maxSampleRate === null || maxSampleRate >= 4000) return null;
      return {
        message:
          `perf_event_max_sample_rate is ${maxSampleRate}: the kernel lowers it when interrupts ` +
          'cost too much, and no higher rate can be recorded',
        fix: 'sudo sysctl kernel.perf_event_max_sample_rate=100000',
      };
    },
  },
  {
    code: 'stripped-binding',
    binding: true,
    title: 'the rspack binding has symbols',
    in: 'both',
    severity: 'advice',
    check: (facts, profile) => {
      const binding = bindingIn(facts, profile);
      if (!binding || binding.symbols !== false) return null;
      const version = binding.version ?? facts.core?.version ?? 'VERSION';
      const { name, fix } = useDebugBinding(facts, binding.file, version);
      const share = profile ? shareIn(profile, binding.file) : 0;
      const none = profile ? ` (${percent(share)} of these samples)` : '';
      return {
        message:
          `${path.basename(binding.file)} ${version} is the stripped release build: its Rust ` +
          `functions${none} have no names; ${name}@${version} has them, where the registry has that ` +
          'version',
        fix,
      };
    },
  },
  {
    code: 'debug-binding',
    binding: true,
    title: 'no debug assertions in the rspack binding',
    in: 'both',
    severity: 'advice',
    check: (facts, profile) => {
      const binding = bindingIn(facts, profile);
      if (!binding) return null;
      const share = profile ? shareThrough(profile, ASSERTION) : 0;
      const byPath = binding.file.includes('@rspack-debug');
      if (!byPath && share < ASSERTIONS_SHOWN_FROM) return null;
      const took = profile ? ` (${ASSERTION}: ${percent(share)} of these samples)` : '';
      return {
        message:
          `this is the debug binding: another build than users run, with assertions${took} and ` +
          "the system's allocator; its functions have names, its times are not the release build's",
        fix: '',
      };
    },
  },
  {
    code: 'version-mismatch',
    binding: true,
    title: '@rspack/core and its binding have one version',
    in: 'both',
    severity: 'advice',
    check: (facts, profile) => {
      const binding = bindingIn(facts, profile);
      const { core } = facts;
      if (!core || !binding?.version || binding.version === core.version) return null;
      // A debug binding was chosen and few versions of it exist: core follows it. A release binding
      // comes with its core, so installing that again brings the right one.
      const chosen = binding.file.includes('@rspack-debug') || facts.binding?.chosen === true;
      const wanted = chosen ? binding.version : core.version;
      return {
        message:
          `@rspack/core is ${core.version} and the binding ${binding.version}: the build fails, or ` +
          'is another one than users run',
        fix: `${INSTALL[facts.packageManager]} @rspack/core@${wanted}`,
      };
    },
  },
  {
    code: 'journal-left',
    title: 'every build here ended with its profile',
    in: 'doctor',
    severity: 'advice',
    check: ({ leftovers, cwd }) => {
      if (leftovers.length === 0) return null;
      const [count, one] = [leftovers.length, path.relative(cwd, leftovers[0])];
      return {
        message:
          count === 1
            ? `a build was killed or crashed and left its journal, ${one}`
            : `${count} builds were killed or crashed and left their journals, ${one} first`,
        fix: 'npx rspack-prof recover',
      };
    },
  },
  {
    code: 'lost-samples',
    title: 'no samples were lost',
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      if (!profile || profile.quality.lost === 0) return null;
      const { lost } = profile.quality;
      const rate = Math.max(1, Math.floor(profile.meta.frequency / 2));
      return {
        message:
          `${grouped(lost)} records were lost beside ${grouped(profile.quality.samples)} samples: ` +
          'the ring buffers were full; a lower rate or a higher mlock limit helps',
        fix: `rspack-prof record -F ${rate} -- COMMAND`,
      };
    },
  },
  {
    code: 'throttled',
    title: 'the kernel did not throttle',
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      if (!profile || profile.quality.throttled === 0) return null;
      return {
        message:
          `the kernel paused sampling ${grouped(profile.quality.throttled)} times because ` +
          'interrupts cost too much: the moments after are missing',
        fix: `rspack-prof record -F ${Math.max(1, Math.floor(profile.meta.frequency / 2))} -- COMMAND`,
      };
    },
  },
  {
    code: 'incomplete-stacks',
    title: 'stacks are complete',
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      if (!profile || profile.quality.samples === 0 || profile.meta.callGraph === 'none')
        return null;
      const { complete, samples, byObject } = profile.quality;
      if (complete / samples >= GOOD_COMPLETE_SHARE) return null;
      const [worst] = [...byObject].sort((a, b) => b.broken - a.broken);
      const where = worst?.broken > 0 ? `, most of the others end in ${worst.object}` : '';
      return {
        message:
          `${percent(complete / samples)} of the stacks reach their thread's start${where}: ` +
          'totals are too low, self shares are right',
        fix: '',
      };
    },
  },
  {
    code: 'guessed-stacks',
    title: 'no callers were guessed',
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      if (!profile || profile.quality.samples === 0) return null;
      const share = (profile.quality.guessed ?? 0) / profile.quality.samples;
      if (share <= GUESSED_SHOWN_FROM) return null;
      return {
        message:
          `${percent(share)} of the stacks went through code without unwind tables: their outer part ` +
          'was found by scanning the stack; frames are missing where [N bytes of OBJECT] stands',
        fix: '',
      };
    },
  },
  {
    code: 'profiler-cost',
    title: "the profiler's own cost",
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      // Only time can be compared with time.
      if (!profile || profile.meta.unit !== 'ns') return null;
      const { cpuMs, handlerMs = 0 } = profile.quality.cost;
      const sampledMs = profile.samples.weight.reduce((sum, weight) => sum + weight, 0) / 1e6;
      if (sampledMs < COST_TOLD_FROM_MS) return null;
      if ((cpuMs + handlerMs) / sampledMs <= COST_SHOWN_FROM) return null;
      const rate = Math.max(1, Math.floor(profile.meta.frequency / 2));
      // A binding with unwind tables is walked by them; without, each frame is looked for.
      const guessing = (profile.quality.guessed ?? 0) > 0;
      return {
        message:
          `profiling took ${percent((cpuMs + handlerMs) / sampledMs)} of the time that was sampled: ` +
          `a lower frequency costs less${guessing ? ', and so does a debug binding, whose stacks need no guessing' : ''}`,
        fix: `rspack-prof record -F ${rate} -- COMMAND`,
      };
    },
  },
  {
    code: 'few-samples',
    title: 'enough samples',
    in: 'profile',
    severity: 'advice',
    check: (_, profile) => {
      if (!profile || profile.quality.samples >= FEW_SAMPLES) return null;
      const { samples } = profile.quality;
      return {
        message: `only ${samples} sample${samples === 1 ? '' : 's'}: small shares are chance`,
        fix:
          profile.meta.frequency < 4000 && profile.meta.event !== TIMERS
            ? 'rspack-prof record -F 4000 -- COMMAND'
            : '',
      };
    },
  },
];

module.exports = { RULES };
