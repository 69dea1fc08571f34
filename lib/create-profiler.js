'use strict';
// The functions that share "one recording at a time": start(), status(), events(). A start() joins what
// was begun from outside, or begins a recording with all that goes along: the journal, the end of the
// process, the phases.

const path = require('node:path');
const { isMainThread } = require('node:worker_threads');
const { installExitHooks } = require('./atexit.js');
const { callSite } = require('./call-site.js');
const { ProfError, fromNative, reasonOf } = require('./errors.js');
const { workingFolder } = require('./folder.js');
const { checkStartOptions } = require('./options.js');
const { watchPhases } = require('./phases/index.js');
const { aboutProcess, leftoverLine } = require('./journal.js');
const { JournalNotes } = require('./journal-notes.js');
const { stashFolder } = require('./stash-folder.js');
const { follow } = require('./followers.js');
const { Session } = require('./session.js');

/** @typedef {import('./profile/raw').NativeAddon} NativeAddon */
/** @typedef {import('./profile/profile').Profile} Profile */
/** @typedef {import('./shared-session').SharedSession} SharedSession */
/** @typedef {{session: Session | SharedSession, from: string, asked: string}} Started from: file and
 *    line of the call, asked: the options */
/** @typedef {(profile: Profile, options: {output: string, quiet: boolean,
 *    giveMemoryBack: () => void}, journal?: string) => void} ExitOutput */

/** @param {string} output */
function absolute(output) {
  if (path.isAbsolute(output) || workingFolder() !== '') return path.resolve(output);
  throw new ProfError(
    'ERR_PROF_BAD_OPTION',
    "the folder that this process works in was removed: give start() an absolute 'output'",
  );
}

/**
 * The functions that share "one recording at a time". Everything from outside is passed in.
 * @param {{native: () => NativeAddon, now?: () => number, hooks?: typeof installExitHooks,
 *   exitOutput?: ExitOutput, say?: (line: string) => void, site?: () => string,
 *   mainThread?: boolean, phases?: typeof watchPhases}} world
 */
function createProfiler(world) {
  const {
    native,
    now = () => Number(process.hrtime.bigint()),
    hooks = installExitHooks,
    exitOutput = (profile, options, journal) =>
      void require('./output.js').writeExitOutput(profile, options, undefined, journal),
    say = (line) => require('./output.js').writeStderr(line),
    site = callSite,
    mainThread = isMainThread,
    phases = watchPhases,
  } = world;
  /** @type {{session: Session, startedAt: Date, shared: boolean, finish: () => Profile} | null} */
  let current = null;
  /** The session that the program has, and where from. @type {Started | null} */
  let users = null;

  /**
   * @param {import('./index').StartOptions} [options]
   * @param {{shared?: boolean}} [internal] shared: recorded from outside, for register.js; a start()
   *   of the program's own is given a part in it
   * @returns {Session | SharedSession}
   */
  function start(options, internal = {}) {
    const checked = checkStartOptions(options);
    if (!mainThread) {
      // worker.terminate() and the main thread's process.exit() end a worker without any 'exit':
      // its profile would be lost without a word.
      throw new ProfError(
        'ERR_PROF_BAD_OPTION',
        'start() in a worker thread: call it in the main thread, whose recording has the workers ' +
          "in it, or run the command below 'rspack-prof record'",
      );
    }
    const from = internal.shared ? '' : site();
    const asked = JSON.stringify(checked);
    if (users?.session.running && from !== '' && users.from === from && users.asked === asked) {
      return users.session;
    }
    if (current && (!current.shared || internal.shared || users?.session.running)) {
      throw new ProfError(
        'ERR_PROF_BUSY',
        `a session runs in this process since ${current.startedAt.toISOString()}: stop() it first`,
      );
    }
    const session = current ? partOf(current) : record(checked, internal);
    if (!internal.shared) users = { session, from, asked };
    return session;
  }

  /** @param {NonNullable<typeof current>} recording */
  function partOf({ session, finish }) {
    const { SharedSession } = require('./shared-session.js');
    session.hasParts = true;
    return new SharedSession(session, finish);
  }

  /**
   * @param {ReturnType<typeof checkStartOptions>} checked
   * @param {{shared?: boolean}} internal
   */
  function record(checked, { shared = false }) {
    const addon = native();
    // Of now: the build may change its folder.
    const output = absolute(checked.output);
    const kept = checked.journal ? { journal: output, about: aboutProcess() } : {};
    let handle;
    try {
      handle = addon.start({ ...checked.native, ...kept, stash: stashFolder() });
    } catch (error) {
      throw fromNative(error);
    }
    const left = checked.quiet || shared ? '' : leftoverLine(output, addon);
    if (left) say(left);
    const write = (/** @type {Profile} */ profile) => {
      try {
        const giveMemoryBack = () => addon.trim?.();
        exitOutput(profile, { ...checked, output, giveMemoryBack }, session.journal);
      } catch (error) {
        say(`rspack-prof: no profile: ${reasonOf(error)}\n`);
      }
    };
    const removeHooks = hooks(() => {
      if (!session.running) {
        // Whoever called stop() has taken the profile over: no files, no table, but no silence.
        say(
          'rspack-prof: the process ended before stop() was done: use stopSync(), or wait for it\n',
        );
        return;
      }
      try {
        finish();
      } catch (error) {
        // The build's own end goes on as if we were not there.
        say(`rspack-prof: no profile: ${reasonOf(error)}\n`);
      }
    });
    const notes = JournalNotes.of(checked.journal, addon, handle);
    const followers = follow(checked, {
      notes,
      startNs: now(),
      phases,
      forget: (beforeNs) => addon.forget(handle, beforeNs),
      dump: () => session.dump(),
      isRunning: () => session.running,
      say,
    });
    const session = new Session({
      native: addon,
      handle,
      now,
      followers,
      notes,
      onEnd: () => {
        current = null;
        notes?.stop();
        followers.stop();
        removeHooks();
      },
    });
    /** @type {Profile | null} */
    let finished = null;
    const finish = () => {
      finished ??= session.handedOver;
      if (finished) return finished;
      finished = session.stopAtExit();
      write(finished);
      return finished;
    };
    current = { session, startedAt: new Date(), shared, finish };
    return session;
  }

  /** @returns {import('./index').Status} */
  function status() {
    let reason = '';
    try {
      native();
    } catch (error) {
      reason = reasonOf(error);
    }
    return {
      running: current !== null,
      supported: reason === '',
      reason,
      startedAt: current?.startedAt ?? null,
    };
  }

  /** @returns {import('./index').EventInfo[]} */
  function events() {
    try {
      return native().events();
    } catch (error) {
      throw fromNative(error);
    }
  }

  return { start, status, events };
}

module.exports = { createProfiler };
