'use strict';
// The one profiler of this process: the package's only state. index.js shows it to users;
// register.js takes it from here to say what happens at exit: start(options, { onExit }).

const { loadNative } = require('./native.js');
const { createProfiler } = require('./session.js');

module.exports = createProfiler({ native: () => loadNative() });
