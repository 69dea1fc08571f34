'use strict';
// node --require bench/truth/burn.js build.js: burns BURN_MS of CPU time at the end of the build.

const { isMainThread } = require('node:worker_threads');

if (isMainThread) {
  process.once('exit', () => {
    const wanted = Number(process.env.BURN_MS) * 1000;
    const start = process.cpuUsage();
    const spent = () => {
      const { user, system } = process.cpuUsage(start);
      return user + system;
    };
    while (spent() < wanted);
  });
}
