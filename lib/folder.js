'use strict';
// Where a recording lies: `.rspack-prof/<time>-<pid>/profile.json.gz`.

const FOLDER = '.rspack-prof';
const FILE = 'profile.json.gz';

module.exports = { FILE, FOLDER };
