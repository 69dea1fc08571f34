'use strict';
// The process that elsewhere.js starts: one build, recorded, and its columns sent back.

const { recordBuild } = require('./build.js');

/** @typedef {import('./elsewhere').Answer} Answer */

/**
 * @param {unknown} error
 * @returns {NonNullable<Answer['failure']>}
 */
function failureOf(error) {
  const { code, message, cause } = /** @type {NodeJS.ErrnoException & {cause?: Error}} */ (error);
  return { code: code ?? 'ERR_PROF_SYSTEM', message, cause: cause?.message };
}

/**
 * @param {{what: string, options: Record<string, unknown>}} request
 * @returns {Promise<Answer>}
 */
async function answerTo({ what, options }) {
  try {
    const [whole, more] = await recordBuild(what, options, {});
    // The columns, without what a Profile works out of them.
    const { raw, others, markers, context, quality, build } = whole;
    const { warnings } = quality;
    const columns = { raw, others, markers, context, quality: { warnings }, build };
    return { recorded: [columns, more] };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

// With the worker goes the channel: nobody waits for the answer then.
process.once('disconnect', () => process.exit());
process.once('message', async (request) => {
  const answer = await answerTo(/** @type {any} */ (request));
  process.send?.(answer, () => process.exit());
});
