'use strict';
// Workers of rspack's loader pool begin with a file of ours, and notice nothing of it; all others are made as
// they were asked for.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const workerThreads = require('node:worker_threads');
const { nameLoaderWorkers } = require('../../lib/loader-workers.js');

/** A file in the place of the pool's. @param {import('node:test').TestContext} t @param {string} source */
function poolFile(t, source) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-pool-'));
  t.after(() => fs.rmSync(root, { recursive: true }));
  const core = path.join(root, 'node_modules', '@rspack', 'core');
  const file = path.join(core, 'compiled', 'tinypool', 'dist', 'entry', 'worker.js');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(path.join(core, 'package.json'), '{ "type": "module" }');
  fs.writeFileSync(file, source);
  return file;
}

const TELLS = `
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
await new Promise((resolve) => setTimeout(resolve, 20));
parentPort.on('message', (message) => {
  parentPort.postMessage({ message, workerData, isMainThread, argv: process.argv });
  if (message === 'last') parentPort.close();
});`;

/** @param {import('node:worker_threads').Worker} worker @returns {Promise<unknown[]>} */
async function answers(worker) {
  /** @type {unknown[]} */
  const all = [];
  worker.on('message', (answer) => all.push(answer));
  for (const message of ['early', 'last']) worker.postMessage(message);
  assert.deepEqual(await once(worker, 'exit'), [0]);
  return all;
}

test('a worker of the pool sees what it would have seen', async (t) => {
  const file = poolFile(t, TELLS);
  const options = { workerData: [{ workerId: 1 }, null], argv: ['one', 'two'], env: { A: 'b' } };
  const alone = await answers(new workerThreads.Worker(file, options));
  const stop = nameLoaderWorkers();
  t.after(stop);
  const worker = new workerThreads.Worker(file, options);
  assert.ok(worker instanceof workerThreads.Worker);
  assert.deepEqual(await answers(worker), alone);
  assert.equal(alone.length, 2);
  assert.deepEqual(options.argv, ['one', 'two']);
  const { Worker } = await import('node:worker_threads');
  const bare = new Worker(file);
  assert.equal((await answers(bare)).length, 2);
});

test('what a worker of the pool throws is its error', async (t) => {
  const stop = nameLoaderWorkers();
  t.after(stop);
  const failing = new workerThreads.Worker(poolFile(t, `throw new TypeError('of the pool');`));
  const [error] = await once(failing, 'error');
  assert.deepEqual([error.name, error.message], ['TypeError', 'of the pool']);
});

test('other workers are let alone, and afterwards all of them', async (t) => {
  const before = workerThreads.Worker;
  const stop = nameLoaderWorkers();
  const source = `require('node:worker_threads').parentPort.postMessage(process.argv.slice(2))`;
  const worker = new workerThreads.Worker(source, { eval: true, argv: ['x'] });
  assert.ok(worker instanceof before);
  assert.deepEqual(await once(worker, 'message'), [['x']]);
  class Own extends workerThreads.Worker {}
  const own = new Own(source, { eval: true });
  assert.ok(own instanceof Own);
  assert.deepEqual(await once(own, 'message'), [[]]);
  stop();
  assert.equal(workerThreads.Worker, before);
  assert.equal((await import('node:worker_threads')).Worker, before);

  const again = nameLoaderWorkers();
  const theirs = class extends before {};
  workerThreads.Worker = theirs;
  t.after(() => {
    workerThreads.Worker = before;
    require('node:module').syncBuiltinESMExports();
  });
  again();
  assert.equal(workerThreads.Worker, theirs);
});
