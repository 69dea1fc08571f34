'use strict';
// The trace of a command: by probes from this process, or by sleds from within the command's own node process;
// and what companion.js finds in its node processes: spans of JavaScript, stacks at entries.

const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('../errors.js');
const { FILE } = require('../folder.js');
const { optionsToLoad } = require('../node-options.js');
const { summaryFromEvents } = require('./from-events.js');
const { spanRows } = require('./spans/rows.js');
const {
  abandonFolder,
  eventsFile,
  makeFolder,
  readSummary,
  stacksFile,
  writeSpans,
  writeSummary,
} = require('./store.js');
const { Trace, planTrace } = require('./tracer.js');

/** @typedef {import('./tracer').TraceOptions & { spans: boolean, filter: string | null }} CommandOptions */
/** @typedef {import('./summary').Summary} Summary */

const COMPANION = path.join(__dirname, 'companion.js');
const ORDERS = 'orders.json';

/** Sleds are for a library that node loads: in a program they are patched by nobody. */
const isAddon = (/** @type {{ path: string }} */ { path: file }) => file.endsWith('.node');

class CommandTrace {
  /**
   * @param {CommandOptions} options
   * @param {import('./tracer').World} world
   * @param {string[]} command
   * @param {string} folder
   */
  constructor(options, world, command, folder) {
    const { native } = (this.plan = planTrace(options, world, command));
    this.options = options;
    this.world = world;
    this.command = command;
    this.folder = folder;
    this.isXray = this.#useXray(native);
    this.probes = this.isXray ? null : new Trace(native, { ...world, folder }, command);
  }

  /** @param {import('./tracer').NativeOptions} native */
  #useXray({ method, objects }) {
    if (method === 'probes') return false;
    const { functions, sleds } = this.world.native.callsSleds({ objects });
    if (method === 'xray' && sleds < functions) {
      throw new ProfError(
        'ERR_PROF_BAD_OPTION',
        `${functions - sleds} of the ${functions} functions have no XRay sleds: narrow the pattern, or trace with probes, as root`,
      );
    }
    const use = method === 'xray' || (sleds >= functions && objects.every(isAddon));
    const wanted = this.options.stacks ? 'stacks' : this.options.flows ? 'flows' : '';
    if (use && wanted !== '' && method === 'xray') {
      throw new ProfError(
        'ERR_PROF_BAD_OPTION',
        `--${wanted} takes probes: leave --method xray out, and run it as root`,
      );
    }
    return use && wanted === '';
  }

  /**
   * From here on; the command has to be started by this very thread, next.
   * @returns {NodeJS.ProcessEnv} its environment
   */
  start() {
    makeFolder(this.folder);
    try {
      const event = this.probes?.start().entriesEvent ?? 0;
      return this.#environment(event);
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** @param {number} event of the entries */
  #environment(event) {
    const { stacks = 0, spans, filter } = this.options;
    const { env } = this.world;
    if (!spans && !this.isXray && stacks === 0) return env;
    const orders = path.join(this.folder, ORDERS);
    /** @type {import('./companion').Orders} */
    const content = {
      folder: this.folder,
      spans,
      filter,
      stacks: event > 0 ? { event: `calls@${event}`, period: stacks } : null,
      xray: this.isXray ? { ...this.plan.native, method: 'xray' } : null,
    };
    fs.writeFileSync(
      orders,
      JSON.stringify(content, (_, value) =>
        ArrayBuffer.isView(value) ? Array.from(/** @type {any} */ (value)) : value,
      ),
      { mode: 0o600, flag: 'wx' },
    );
    return { ...env, RSPACK_PROF_TRACE: orders, NODE_OPTIONS: optionsToLoad(env, COMPANION) };
  }

  /** @param {number} pid of the command, at once */
  begun(pid) {
    if (this.probes) this.world.native.callsBegun(pid);
  }

  /** What was begun is taken back. */
  abandon() {
    this.probes?.abandon();
    abandonFolder(this.folder);
  }

  /** When the command has ended. @returns {Summary} */
  stop() {
    const found = this.probes?.stop() ?? null;
    const processes = this.#processes();
    const summary = found ?? this.#fromSleds(processes);
    this.#takeSpans(processes, summary);
    this.#takeStacks(processes, summary);
    for (const own of processes) {
      summary.warnings.push(...failureOf(own));
      fs.rmSync(own, { recursive: true, force: true });
    }
    fs.rmSync(path.join(this.folder, ORDERS), { force: true });
    this.#write(summary, () => writeSummary(this.folder, summary));
    return summary;
  }

  /**
   * What was found is shown, also where there is no room to keep it.
   * @param {Summary} summary
   * @param {() => void} work
   */
  #write(summary, work) {
    try {
      work();
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      const fix = 'rspack-prof trace --read FOLDER tells what the events on disk do';
      summary.warnings.push({ code: 'not-kept', message, fix });
    }
  }

  #processes() {
    return fs
      .readdirSync(this.folder)
      .filter((name) => name.startsWith('process-'))
      .map((name) => path.join(this.folder, name));
  }

  /**
   * The trace of the process that made most calls becomes this one.
   * @param {string[]} processes
   * @returns {Summary}
   */
  #fromSleds(processes) {
    const calls = (/** @type {Summary} */ { functions }) =>
      functions.reduce((sum, row) => sum + row.calls, 0);
    const [best, ...others] = processes
      .filter((folder) => fs.existsSync(path.join(folder, 'functions.json')))
      .map((folder) => ({ folder, summary: readSummary(folder) ?? summaryFromEvents(folder) }))
      .sort((a, b) => calls(b.summary) - calls(a.summary));
    if (!best) {
      const [why] = processes.flatMap(failureOf);
      throw new ProfError(
        'ERR_PROF_NOT_RUNNING',
        why
          ? `no calls: ${why.message}`
          : `no calls: no node process of the command loaded ${this.plan.native.objects.map(({ path: file }) => file).join(', ')}; other programs are traced with --method probes, as root`,
      );
    }
    for (const file of ['functions.json', path.basename(eventsFile(''))]) {
      fs.renameSync(path.join(best.folder, file), path.join(this.folder, file));
    }
    best.summary.meta.command = this.command.join(' ');
    if (others.length > 0) {
      const message = `${others.length} other processes of the command made traced calls too: this is the one that made most`;
      best.summary.warnings.push({
        code: 'other-processes',
        message,
        fix: 'trace one of them alone',
      });
    }
    return best.summary;
  }

  /** @param {string[]} processes @param {Summary} summary */
  #takeSpans(processes, summary) {
    if (!this.options.spans) return;
    const found = processes.flatMap((folder) => readJson(path.join(folder, 'spans.json')) ?? []);
    this.#write(summary, () => writeSpans(this.folder, found));
    summary.spans = spanRows(found);
    summary.warnings.push(...found.flatMap(({ warnings }) => warnings));
  }

  /** @param {string[]} processes @param {Summary} summary */
  #takeStacks(processes, summary) {
    if (!this.options.stacks) return;
    const { read } = require('../export/index.js');
    const [best] = processes
      .flatMap((folder) => profilesBelow(folder))
      .map((file) => ({ file, quality: read(file).quality }))
      .sort((a, b) => b.quality.samples - a.quality.samples);
    if (!best || best.quality.samples === 0) {
      const message = 'no stacks: no node process of the command called a traced function';
      summary.warnings.push({ code: 'no-stacks', message, fix: '' });
      return;
    }
    const { samples, completeShare } = best.quality;
    fs.renameSync(best.file, stacksFile(this.folder));
    summary.stacks = {
      file: stacksFile(this.folder),
      period: this.options.stacks,
      samples,
      completeShare,
    };
  }
}

/** @param {string} file @returns {any} null: not there, or cut off */
function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** @param {string} folder of a process @returns {string[]} where its recording wrote */
function profilesBelow(folder) {
  return fs
    .readdirSync(folder)
    .map((name) => path.join(folder, name, FILE))
    .filter((file) => fs.existsSync(file));
}

/** @param {string} folder of a process @returns {Summary['warnings']} */
function failureOf(folder) {
  const failed = readJson(path.join(folder, 'failed.json'));
  return failed
    ? [{ code: 'process-not-followed', message: `${failed.message} (${failed.code})`, fix: '' }]
    : [];
}

module.exports = { CommandTrace };
