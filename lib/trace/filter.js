'use strict';
// Which of rspack's spans are asked for. A filter is what `RSPACK_PROFILE` takes: a word of rspack's
// own (OVERVIEW), or directives of tracing-subscriber's EnvFilter, `target=level` joined by commas.
//
// Refuses what rspack 2.2.7 would not survive: a filter that EnvFilter cannot parse aborts the whole
// process (exit code 134). So only the part of the syntax that is sure is let through: targets and
// levels. A span's name in brackets asks for everything below that span too, and that is 100,000
// spans of a build of 10,000 modules.

const { ProfError } = require('../errors.js');

/** Our own word. */
const STAGES = 'stages';
/**
 * Spans that come once per build, or once per chunk: some 90 in a build of 1,000 modules, where
 * OVERVIEW has 44,000. A target stands for all that begin with it: `rspack_core::compilation::` has the
 * passes and not the hooks, which are called for each module. Checked with rspack 2.2.7.
 */
const STAGES_FILTER = [
  'rspack_compilation_main=info',
  'rspack_core::compiler=info',
  'rspack_core::compilation::=info',
  'rspack_plugin_javascript::plugin::=info',
  'rspack_plugin_javascript::plugin::impl_plugin_for_js_plugin=off',
  'rspack_plugin_javascript::plugin::drive=off',
  'rspack_plugin_javascript::plugin::url_plugin=off',
  'rspack_plugin_split_chunks=info',
  'rspack_plugin_swc_js_minimizer=info',
  'rspack_plugin_lightning_css_minimizer=info',
  'rspack_plugin_real_content_hash=info',
  'rspack_plugin_merge_duplicate_chunks=info',
  'rspack_plugin_remove_empty_chunks=info',
  'rspack_ids=info',
  'rspack_plugin_html::plugin=info',
].join(',');

/** rspack's own words for a whole level. */
const WORDS = ['OVERVIEW', 'ALL'];
const LEVELS = 'off|error|warn|info|debug|trace';
const DIRECTIVE = new RegExp(`^(?:(?:${LEVELS})|[a-zA-Z_][\\w:-]*(?:=(?:${LEVELS}))?)$`);

/**
 * @param {string} filter
 * @returns {string} what rspack is given
 */
function checkFilter(filter) {
  if (filter === STAGES) return STAGES_FILTER;
  if (WORDS.includes(filter)) return filter;
  const directives = filter.split(',').map((part) => part.trim());
  const wrong = directives.find((part) => !DIRECTIVE.test(part));
  if (wrong !== undefined) {
    throw new ProfError(
      'ERR_PROF_BAD_OPTION',
      `option 'trace' takes '${STAGES}', 'OVERVIEW', or 'target=level,..' such as ` +
        `'rspack_core::compiler=info', not ${JSON.stringify(wrong || filter)}`,
    );
  }
  // A bare target would mean its `trace` level, which release builds leave out, with a note about it
  // on the build's standard error.
  const levels = LEVELS.split('|');
  return directives
    .map((part) => (part.includes('=') || levels.includes(part) ? part : `${part}=info`))
    .join(',');
}

module.exports = { STAGES, STAGES_FILTER, checkFilter };
