'use strict';
// Rules about the machine and its settings: what the kernel lets this user record, and what it takes.

const path = require('node:path');
const { grouped } = require('../grouped.js');
const { TIMERS } = require('./profile-facts.js');

/** @typedef {import('./rules').Rule} Rule */

/** Descriptors: one for each thread and CPU. A build has some 16 threads and 4 for each core. */
const descriptorsFor = (/** @type {number} */ cpus) => (16 + 4 * cpus) * (cpus + 1) + 256;
/** A ring of 512 KB and its control page; smaller ones lose samples at 4000 Hz. */
const GOOD_RING_KB = 516;

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
        fix:
          'sudo sysctl kernel.kptr_restrict=0' +
          (!root && (paranoid ?? 0) > 1 ? ' kernel.perf_event_paranoid=1' : ''),
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
];

module.exports = { RULES };
