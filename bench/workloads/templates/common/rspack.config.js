// CASE_PROF holds the profiler's options as JSON. Without it nothing of the profiler is loaded, so
// that the case builds where its addon is not built.
if (process.env.CASE_PROF) require('rspack-prof').start(JSON.parse(process.env.CASE_PROF));

module.exports = require('./build.config.js');
