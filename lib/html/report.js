'use strict';
// The HTML report of one profile.

const { encodeProfile } = require('./encode.js');
const { pageOf } = require('./page.js');
const { subset } = require('../profile/subset.js');

/** While a build waits to end: fast compression, and no categories, which take longer than all else. */
const AT_EXIT = { level: 1, categories: false };
const WHOLE = { level: 6, categories: true };

/**
 * @param {import('../profile/profile').Profile} profile
 * @param {{atExit?: boolean}} [options]
 * @returns {string[]} the file in pieces
 */
function htmlReport(profile, { atExit = false } = {}) {
  const { meta } = profile;
  return pageOf({
    title: `${meta.command} - rspack-prof`,
    heading: meta.command,
    summary: 'reading the profile ..',
    data: encodeProfile(subset(profile, {}), atExit ? AT_EXIT : WHOLE),
  });
}

module.exports = { htmlReport };
