'use strict';
// The demo: a real `rspack build` of a case with the profiler in its process.
//   node bench/profile.js [CASE] [--frequency HZ] [--event EVENT] [--binding debug|release|FILE]
// The case's rspack.config.js calls start() as its first line, as a user's would; the table at the
// end is the profiler's own. The profile goes to .rspack-prof/ in the folder one is in.

const { spawn } = require('node:child_process');
const os = require('node:os');
const { parseArgs } = require('node:util');
const { prepareBuild } = require('./build.js');
const { CASES, CaseError } = require('./workloads/generate.js');

const USAGE = `usage: npm run profile -- [CASE] [--frequency HZ] [--event EVENT] [--binding debug|release|FILE]
cases: ${Object.keys(CASES).join(', ')} (default react-10k)`;

/** An error in the command line itself. */
class UsageError extends Error {}

/**
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} env
 */
function parseArguments(argv, env) {
  /** @type {{ values: Record<string, string | undefined>, positionals: string[] }} */
  let parsed;
  try {
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        frequency: { type: 'string', short: 'F', default: '4000' },
        event: { type: 'string', short: 'e' },
        binding: { type: 'string', default: env.RSPACK_BINDING || 'debug' },
      },
    });
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message);
  }
  const { values, positionals } = parsed;
  const frequency = Number(values.frequency);
  if (!Number.isInteger(frequency) || frequency < 1) {
    throw new UsageError(`--frequency takes a whole number of samples a second`);
  }
  if (positionals.length > 1) throw new UsageError('one case at a time');
  const prof = values.event ? { frequency, event: values.event } : { frequency };
  return { name: positionals[0] ?? 'react-10k', prof, binding: values.binding };
}

/**
 * Runs the build with this process's own streams.
 * @param {import('./build.js').Build} build
 * @returns {Promise<number>} the exit code, 128 and the signal's number after a signal
 */
function run({ command, args, env }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: 'inherit' });
    // The terminal sends ^C to both: the build ends, and then this process. A signal that only this
    // process gets is passed on, so that the profile is written.
    const ignore = () => {};
    const pass = () => child.kill('SIGTERM');
    process.on('SIGINT', ignore);
    process.on('SIGTERM', pass);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', pass);
      resolve(signal ? 128 + os.constants.signals[signal] : (code ?? 1));
    });
  });
}

/** @param {string[]} argv */
async function main(argv) {
  try {
    const { name, prof, binding } = parseArguments(argv, process.env);
    const build = prepareBuild(name, { prof, binding });
    console.error(`rspack build of ${name} (${CASES[name].about})`);
    console.error(`at ${prof.frequency} samples a second, ${binding} binding\n`);
    return await run(build);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof CaseError)) throw error;
    console.error(error instanceof UsageError ? `${error.message}\n${USAGE}` : error.message);
    return 2;
  }
}

module.exports = { parseArguments };

if (require.main === module) {
  main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
