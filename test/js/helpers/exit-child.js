'use strict';
// A process that records with a stand-in for the addon and then ends in the way that its last
// argument says: atexit.test.js looks at what is left. The hooks and the output are the real ones.
//   node exit-child.js OUTPUT-FOLDER 'JavaScript'

const { createProfiler } = require('../../../lib/create-profiler.js');
const { fakeNative } = require('./raw-profile.js');

const [, , output, code] = process.argv;
const { start } = createProfiler({ native: () => fakeNative().native });
new Function('start', 'output', 'require', code)(start, output, require);
