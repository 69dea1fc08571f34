'use strict';
// node 18 before 18.18 has no Symbol.dispose; its polyfills look for these.

const DISPOSE = Symbol.dispose ?? Symbol.for('Symbol.dispose');
const ASYNC_DISPOSE = Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose');

module.exports = { DISPOSE, ASYNC_DISPOSE };
