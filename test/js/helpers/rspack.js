'use strict';
// Whether rspack itself runs on this node: the profiler takes node 18, rspack 2 needs more.

const [major, minor] = process.versions.node.split('.').map(Number);
const runs = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);

/** For a test's `skip`: false where it runs. @type {string | false} */
const whyNoRspack = runs ? false : `rspack 2 needs node 20.19 or 22.12, this is ${process.version}`;

module.exports = { whyNoRspack };
