'use strict';
// The first file of a worker of rspack's loader pool, in front of the pool's own (loader-workers.js): has
// this isolate's code named, and is gone. The pool's file stands behind the arguments; the worker sees the
// arguments that it would have seen.

const { pathToFileURL } = require('node:url');
const { nameThisThread } = require('./worker.js');

const entry = /** @type {string} */ (process.argv.pop());
process.argv[1] = entry;
nameThisThread();
// What it throws is the worker's error, as it would be without us.
import(pathToFileURL(entry).href);
