'use strict';
// Each format read back by its schema: Firefox by its types, Perfetto and pprof by their published
// message definitions, .cpuprofile by what V8 itself writes.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const inspector = require('node:inspector');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const zlib = require('node:zlib');
const protobuf = require('protobufjs');
const { read } = require('../../lib/export/index.js');
const { checkFirefox } = require('./helpers/firefox-check.js');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
after(() => fs.rmSync(FOLDER, { recursive: true }));
const PROTO = path.join(__dirname, '../fixtures/proto');
const START = 5e12;
const MS = 1e6;

/** @type {import('../../lib/profile/raw').Marker[]} */
const MARKERS = [
  {
    type: 'phase',
    name: 'make',
    startNs: START,
    endNs: START + 4 * MS,
    data: { compiler: 'web', build: 1 },
  },
  {
    type: 'phase',
    name: 'seal',
    startNs: START + 4 * MS,
    endNs: null,
    data: { compiler: 'web', build: 1 },
  },
  { type: 'span', name: 'a', startNs: START + MS, endNs: START + 3 * MS, data: undefined },
  { type: 'span', name: 'b', startNs: START + 2 * MS, endNs: START + 5 * MS, data: undefined },
  { type: 'mark', name: 'half', startNs: START + 2 * MS, endNs: START + 2 * MS, data: 'x' },
];
const built = (/** @type {object} */ meta = {}) =>
  buildProfile(smallBuild().samples, { ...smallBuild(), meta }, MARKERS);

/** @param {string} name @param {import('../../lib/index').ExportOptions} [options] */
function bytesOf(name, options, profile = built()) {
  const file = path.join(FOLDER, name);
  profile.write(file, options);
  return fs.readFileSync(file);
}

/** @param {string} file @param {string} type @param {Uint8Array} bytes @returns {any} */
function decoded(file, type, bytes) {
  const message = protobuf.loadSync(path.join(PROTO, file)).lookupType(type);
  return message.toObject(message.decode(bytes), { longs: Number, enums: String });
}

test('firefox: fits the types of the format, per thread and per CPU, with categories', () => {
  for (const unit of ['ns', 'cycles', 'events']) {
    for (const perCpuThreads of [false, true]) {
      const json = JSON.parse(
        String(
          bytesOf(
            'p.json',
            { format: 'firefox', perCpuThreads, categories: true },
            built({ unit }),
          ),
        ),
      );
      checkFirefox(json);
      assert.equal(json.counters.length, unit === 'events' ? 0 : 1);
    }
  }
  const spoilt = JSON.parse(String(bytesOf('p.json', { format: 'firefox' })));
  spoilt.shared.frameTable.subcategory[0] = 1;
  assert.throws(() => checkFirefox(spoilt), /subcategory\[0\] is 1, of 1/);
});

test('firefox: a thread for each CPU has its samples once more, and which thread ran', () => {
  const json = JSON.parse(String(bytesOf('p.json', { format: 'firefox', perCpuThreads: true })));
  const cpus = json.threads.filter((/** @type {any} */ { pid }) => pid === 'CPUs');
  assert.deepEqual(
    cpus.map((/** @type {any} */ { name, samples }) => [name, samples.length]),
    [
      ['CPU 0', 5],
      ['CPU 1', 4],
    ],
  );
  const runs = cpus[1].markers.name.map((/** @type {number} */ id) => json.shared.stringArray[id]);
  // Samples 2, 4, 6, 8 by their times.
  assert.deepEqual(runs, ['node/4242', 'tokio/4243', 'node/4242', 'tokio/4300']);
  assert.deepEqual(read(path.join(FOLDER, 'p.json')).hotspots(), built().hotspots());
});

test('firefox: the counter adds up to the CPU time of the samples', () => {
  const json = JSON.parse(String(bytesOf('p.json', { format: 'firefox' }, built({ unit: 'ns' }))));
  const sum = json.counters[0].samples.count.reduce(
    (/** @type {number} */ all, /** @type {number} */ one) => all + one,
    0,
  );
  assert.equal(sum, built().totalWeight);
  assert.equal(json.counters[0].samples.time.at(-1), 2000);
});

test('firefox: subcategories name the kind of work', () => {
  const plain = JSON.parse(String(bytesOf('p.json', { format: 'firefox' })));
  assert.deepEqual(plain.meta.categories[1].subcategories, ['Other']);
  const json = JSON.parse(String(bytesOf('p.json', { format: 'firefox', categories: true })));
  const { frameTable, funcTable, stringArray } = json.shared;
  const work = frameTable.func.map((/** @type {number} */ func, /** @type {number} */ frame) => {
    const category = json.meta.categories[frameTable.category[frame]];
    const name = stringArray[funcTable.name[func]];
    return `${name}: ${category.name}/${category.subcategories[frameTable.subcategory[frame]]}`;
  });
  const names = built().categories.names;
  assert.ok(work.includes('memcpy: Native/string and copy work'), work.join('\n'));
  assert.ok(names.includes('string and copy work'));
});

test('perfetto: every sample with its whole stack, thread, CPU and time', () => {
  const profile = built({ event: 'cpu-clock:uk', unit: 'ns' });
  const { packet } = decoded('perfetto.proto', 'Trace', bytesOf('p.pftrace', {}, profile));
  /** @type {Record<string, Map<number, any>>} */
  const tables = {};
  for (const { internedData = {} } of packet) {
    for (const [name, list] of Object.entries(internedData)) {
      const table = (tables[name] ??= new Map());
      for (const entry of list) {
        assert.ok(!table.has(entry.iid), `${name} ${entry.iid} twice`);
        table.set(entry.iid, entry);
      }
    }
  }
  const frameName = (/** @type {number} */ iid) => {
    const frame = tables.frames.get(iid);
    assert.ok(tables.mappings.has(frame.mappingId) && frame.relPc > 0);
    return String(tables.functionNames.get(frame.functionNameId).str);
  };
  const samples = packet.filter((/** @type {any} */ one) => one.perfSample);
  assert.equal(samples.length, 9);
  const { raw } = profile;
  samples.forEach((/** @type {any} */ own, /** @type {number} */ index) => {
    const { perfSample, timestamp } = own;
    assert.equal(timestamp, raw.samples.timeNs[index]);
    assert.equal(perfSample.cpu, raw.samples.cpu[index]);
    assert.equal(perfSample.tid, raw.threads.tid[raw.samples.thread[index]]);
    const path = [];
    for (let at = raw.samples.node[index]; at > 0; at = raw.nodes.parent[at]) {
      path.unshift(raw.strings[raw.funcs.name[raw.nodes.func[at]]]);
    }
    const stack = tables.callstacks.get(perfSample.callstackIid)?.frameIds ?? [];
    assert.deepEqual(stack.map(frameName), path);
  });
  assert.deepEqual(
    samples.map((/** @type {any} */ { perfSample }) => perfSample.unwindError ?? 0),
    [0, 0, 0, 0, 0, 0, 3, 6, 3],
  );
  assert.equal(samples[2].perfSample.cpuMode, 1);
  const [{ tracePacketDefaults, sequenceFlags }] = packet;
  assert.equal(sequenceFlags, 1);
  assert.deepEqual(tracePacketDefaults.perfSampleDefaults.timebase, {
    frequency: 1000,
    counter: 1,
    name: 'cpu-clock:uk',
  });
  const kernel = [...tables.frames.values()].find((frame) => frame.kind === 2);
  assert.equal(frameName(kernel.iid), 'do_syscall_64');
});

test('perfetto: phases, overlapping spans, marks, threads, busy CPUs', () => {
  const profile = built({ unit: 'ns' });
  const { packet } = decoded('perfetto.proto', 'Trace', bytesOf('p.pftrace', {}, profile));
  const tracks = new Map(
    packet
      .filter((/** @type {any} */ one) => one.trackDescriptor)
      .map((/** @type {any} */ { trackDescriptor }) => [trackDescriptor.uuid, trackDescriptor]),
  );
  const threads = [...tracks.values()].filter(({ thread }) => thread);
  assert.deepEqual(
    threads.map(({ thread }) => [thread.threadName, thread.tid, thread.pid]),
    [
      ['node', 4242, 4242],
      ['tokio', 4243, 4242],
      ['tokio', 4300, 4242],
    ],
  );
  /** @type {Map<number, {open: string[], closed: any[]}>} */
  const seen = new Map();
  /** @type {string[]} */
  const marks = [];
  let busyMs = 0;
  for (const { trackEvent: own, timestamp } of packet) {
    if (!own) continue;
    assert.ok(tracks.has(own.trackUuid));
    const at = seen.get(own.trackUuid) ?? { open: [], closed: [] };
    seen.set(own.trackUuid, at);
    const ms = (timestamp - START) / MS;
    if (own.type === 'TYPE_SLICE_BEGIN') at.open.push(`${own.name} ${ms}`);
    if (own.type === 'TYPE_SLICE_END') at.closed.push(`${at.open.pop()}-${ms}`);
    if (own.type === 'TYPE_INSTANT') marks.push(`${own.name} ${ms}`);
    if (own.type === 'TYPE_COUNTER') busyMs += own.doubleCounterValue * 20;
  }
  const named = (/** @type {string} */ name) =>
    [...seen]
      .filter(([id]) => tracks.get(id).name === name)
      .map(([, { closed, open }]) => (assert.equal(open.length, 0), closed));
  assert.deepEqual(named('spans'), [['a 1-3'], ['b 2-5']]);
  assert.deepEqual(named('build phases'), [
    ['make (web) 0-1', 'a 1-2', 'b 2-4', 'seal (web) 4-2000'],
  ]);
  assert.deepEqual(marks, ['half 2']);
  assert.ok(Math.abs(busyMs - profile.totalWeight / MS) < 1e-6, String(busyMs));
});

test('pprof: samples, labels, inlined lines and mappings as the format has them', () => {
  const profile = built({ unit: 'ns' });
  profile.raw.funcs.address = Float64Array.from(profile.raw.funcs.name, (_, func) =>
    profile.raw.funcs.kind[func] === 4 ? -4096 - func : 0x1000 + func * 16,
  );
  const bytes = bytesOf('p.pb.gz', {}, profile);
  const own = decoded('pprof.proto', 'Profile', zlib.gunzipSync(bytes));
  const text = (/** @type {number} */ id) => own.stringTable[id ?? 0];
  assert.equal(own.stringTable[0], '');
  assert.deepEqual(
    own.sampleType.map((/** @type {any} */ { type, unit }) => `${text(type)}/${text(unit)}`),
    ['samples/count', 'cpu/nanoseconds'],
  );
  const byId = (/** @type {any[]} */ list) => new Map(list.map((one) => [one.id, one]));
  const [functions, locations, mappings] = [own.function, own.location, own.mapping].map(byId);
  /** @type {Record<string, number>} */
  const folded = {};
  for (const { locationId, value } of own.sample) {
    const frames = [];
    for (const id of locationId) {
      const { line, mappingId = 0, address } = locations.get(id);
      for (const { functionId } of line) frames.push(text(functions.get(functionId).name));
      // An address is inside its mapping.
      if (mappingId === 0) continue;
      const { memoryStart, memoryLimit } = mappings.get(mappingId);
      assert.ok(address >= memoryStart && address < memoryLimit);
    }
    const key = frames.reverse().join(';');
    folded[key] = (folded[key] ?? 0) + value[0];
  }
  assert.deepEqual(
    Object.entries(folded)
      .map(([stack, count]) => `${stack} ${count}`)
      .sort(),
    profile.folded().trimEnd().split('\n').sort(),
  );
  const inlined = own.location.find((/** @type {any} */ { line }) => line.length > 1);
  assert.deepEqual(
    inlined.line.map((/** @type {any} */ { functionId }) => text(functions.get(functionId).name)),
    ['swc_ecma::fold<T: U>', 'rspack_core::compile'],
  );
  const labels = own.sample.flatMap((/** @type {any} */ { label }) =>
    label.map((/** @type {any} */ { key, str, num }) => `${text(key)}=${str ? text(str) : num}`),
  );
  for (const label of ['thread=tokio', 'thread_id=4300', 'phase=seal', 'stack=broken']) {
    assert.ok(labels.includes(label), label);
  }
  assert.equal(own.period, 1e6);
  assert.equal(own.durationNanos, 2e9);
});

/** Debian's package of Go has the tool, without `go` in the path. */
const GO_PPROF = fs
  .readdirSync('/usr/lib')
  .filter((name) => name.startsWith('go-'))
  .map((name) => `/usr/lib/${name}/pkg/tool/linux_amd64/pprof`)
  .concat(process.env.PPROF ?? [])
  .find((file) => fs.existsSync(file));

test(
  'pprof: go tool pprof has the same rows as the report',
  {
    skip: !GO_PPROF && 'go tool pprof is not installed (apt-get install golang-go; or PPROF=FILE)',
  },
  () => {
    const names = ['<A as Visit>::go', '<B as Visit>::go', 'core::fmt(a, b)', 'plain'];
    const profile = buildProfile(
      names.map((stack, at) => ({ stack, weight: (at + 1) * 1e6 })),
      { meta: { unit: 'ns', event: 'cpu-clock' } },
    );
    bytesOf('go.pb.gz', {}, profile);
    const args = ['-top', '-nodefraction=0', '-unit=ns', path.join(FOLDER, 'go.pb.gz')];
    const { stdout, stderr } = spawnSync(/** @type {string} */ (GO_PPROF), args, {
      encoding: 'utf8',
    });
    const rows = stdout.split('\n').flatMap((line) => {
      const found = /^\s*(\d+)ns .*?%\s+\d+ns\s+[\d.]+%\s+(.*)$/.exec(line);
      return found ? [[found[2], Number(found[1])]] : [];
    });
    const wanted = profile.hotspots().map(({ key, self }) => [key, self]);
    assert.deepEqual(rows, wanted, stdout + stderr);
  },
);

test('pprof: no two equal names, which its readers would demangle', () => {
  const bytes = bytesOf('p.pb.gz');
  const own = decoded('pprof.proto', 'Profile', zlib.gunzipSync(bytes));
  for (const { name, systemName = 0 } of own.function) assert.notEqual(systemName, name);
});

/** @param {any} json */
function checkCpuprofile(json) {
  const ids = new Map(json.nodes.map((/** @type {any} */ node) => [node.id, node]));
  assert.equal(ids.size, json.nodes.length);
  assert.equal(json.nodes[0].callFrame.functionName, '(root)');
  const children = json.nodes.flatMap((/** @type {any} */ node) => node.children ?? []);
  assert.equal(new Set(children).size, children.length, 'a node has one parent');
  assert.deepEqual(
    new Set(children),
    new Set([...ids.keys()].filter((id) => id !== json.nodes[0].id)),
  );
  assert.equal(json.samples.length, json.timeDeltas.length);
  assert.ok(json.samples.every((/** @type {number} */ id) => ids.has(id)));
  assert.ok(json.endTime >= json.startTime);
}

test('cpuprofile: the shape of what V8 itself writes', async () => {
  const session = new inspector.Session();
  session.connect();
  const post = (/** @type {string} */ method) =>
    new Promise((resolve, reject) => {
      session.post(method, (error, result) => (error ? reject(error) : resolve(result)));
    });
  await post('Profiler.enable');
  await post('Profiler.start');
  for (let i = 0; i < 1e6; i++) Math.sqrt(i);
  const { profile: theirs } = /** @type {any} */ (await post('Profiler.stop'));
  session.disconnect();
  checkCpuprofile(theirs);
  const ours = JSON.parse(String(bytesOf('p.cpuprofile')));
  checkCpuprofile(ours);
  assert.deepEqual(Object.keys(ours).sort(), Object.keys(theirs).sort());
  const frameKeys = Object.keys(theirs.nodes[0].callFrame).sort();
  for (const { callFrame } of ours.nodes) {
    assert.deepEqual(Object.keys(callFrame).sort(), frameKeys);
    for (const [key, value] of Object.entries(callFrame)) {
      assert.equal(typeof value, typeof theirs.nodes[0].callFrame[key], key);
    }
  }
  assert.ok(ours.timeDeltas.every((/** @type {number} */ delta) => delta >= 0));
});

test('cpuprofile: one thread, JavaScript with its file, sleep as (idle)', () => {
  const first = JSON.parse(String(bytesOf('p.cpuprofile')));
  const loader = first.nodes.find((/** @type {any} */ n) => n.callFrame.functionName === 'loader');
  assert.deepEqual(loader.callFrame, {
    functionName: 'loader',
    scriptId: '0',
    url: '/app/node_modules/@x/ldr/i.js',
    lineNumber: 2,
    columnNumber: 6,
  });
  const hits = (/** @type {any} */ json) =>
    json.nodes.reduce((/** @type {number} */ sum, /** @type {any} */ n) => sum + n.hitCount, 0);
  assert.equal(hits(first), 5);
  const tokio = JSON.parse(String(bytesOf('p.cpuprofile', { thread: '4300' })));
  assert.equal(hits(tokio), 1);
  const names = tokio.samples.map(
    (/** @type {number} */ id) =>
      tokio.nodes.find((/** @type {any} */ node) => node.id === id).callFrame.functionName,
  );
  assert.deepEqual(names, ['(idle)', 'swc_ecma::visit', '(idle)']);
});

test('cpuprofile: a rate that a budget lowered is no sleep', () => {
  const samples = [1, 2, 3, 4].map((at) => ({
    stack: '_start',
    timeNs: START + at * 10 * MS,
    weight: 10 * MS,
  }));
  const idle = (/** @type {object} */ meta) => {
    const json = JSON.parse(
      String(bytesOf('p.cpuprofile', {}, buildProfile(samples, { meta: { ...meta, unit: 'ns' } }))),
    );
    const { id } = json.nodes.find(
      (/** @type {any} */ node) => node.callFrame.functionName === '(idle)',
    );
    return json.samples.slice(1, -1).filter((/** @type {number} */ own) => own === id).length;
  };
  assert.equal(idle({ endNs: START + 41 * MS }), 3);
  const budget = /** @type {any} */ ({ changes: [{ timeNs: START, frequency: 100 }] });
  assert.equal(idle({ endNs: START + 41 * MS, budget }), 0);
});
