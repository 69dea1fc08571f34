'use strict';
// The Parquet tables, queried by DuckDB and by polars: the same top ten as `report`.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, test } = require('node:test');
const { buildProfile, smallBuild } = require('./helpers/raw-profile.js');
const cliSupport = require('./cli-support.js');

const FOLDER = fs.mkdtempSync(path.join(os.tmpdir(), 'rspack-prof-test-'));
after(() => fs.rmSync(FOLDER, { recursive: true }));
const TABLES = ['frames', 'phases', 'samples', 'stacks', 'symbols'];
/** The packages' own binaries need a glibc and a node of theirs. */
const isHere = (/** @type {string} */ name) => {
  try {
    require(name);
    return false;
  } catch (error) {
    return `${name} does not load here: ${/** @type {Error} */ (error).message.split('\n')[0]}`;
  }
};

/** @type {import('../../lib/profile/raw').Marker[]} */
const MARKERS = [
  {
    type: 'phase',
    name: 'make',
    startNs: 5e12,
    endNs: 5e12 + 4.5e6,
    data: { compiler: 'web', build: 1 },
  },
];

const PROFILES = {
  small: buildProfile(smallBuild().samples, smallBuild(), MARKERS),
  build: cliSupport.buildProfile(),
};
/** @type {Record<string, string>} */
const folders = {};
for (const [name, profile] of Object.entries(PROFILES)) {
  folders[name] = path.join(FOLDER, name);
  profile.write(folders[name], { format: 'parquet' });
}

/** @param {import('../../lib/profile/profile').Profile} profile */
const topTen = (profile) =>
  profile
    .hotspots({ by: 'symbol,object', limit: 10 })
    .map(({ key, self, samples }) => ({ key, self, samples }));

/** Rows of one weight in one order. @param {{key: string, self: number, samples: number}[]} rows */
const ordered = (rows) => [...rows].sort((a, b) => b.self - a.self || (a.key < b.key ? -1 : 1));

test('five files, private, in a folder; nothing else is there', () => {
  assert.deepEqual(
    fs.readdirSync(folders.small).sort(),
    TABLES.map((name) => `${name}.parquet`),
  );
  assert.equal(fs.statSync(folders.small).mode & 0o777, 0o700);
  assert.equal(fs.statSync(path.join(folders.small, 'samples.parquet')).mode & 0o777, 0o600);
  assert.deepEqual(fs.readdirSync(FOLDER).sort(), ['build', 'small']);
});

test(
  'DuckDB: the top ten, totals by recursion-free stacks, phases',
  { skip: isHere('@duckdb/node-api') },
  async () => {
    const { DuckDBInstance } = require('@duckdb/node-api');
    const connection = await (await DuckDBInstance.create()).connect();
    const rows = async (/** @type {string} */ sql) =>
      /** @type {any[]} */ ((await connection.runAndReadAll(sql)).getRowObjects());
    for (const [name, profile] of Object.entries(PROFILES)) {
      const table = (/** @type {string} */ file) => `'${path.join(folders[name], file)}.parquet'`;
      const found = await rows(`
      SELECT s.name || ',' || s.object AS key, sum(weight) AS self, count(*)::INT AS samples
      FROM ${table('samples')} JOIN ${table('symbols')} s USING (symbol_id)
      GROUP BY s.name, s.object ORDER BY self DESC LIMIT 10`);
      assert.deepEqual(
        ordered(found),
        ordered(topTen(profile).filter(({ samples }) => samples > 0)),
        name,
      );
      const totals = await rows(`
      SELECT s.name AS key, sum(weight) AS total FROM ${table('samples')}
      JOIN (SELECT DISTINCT stack_id, f.symbol_id FROM ${table('stacks')}
            JOIN ${table('frames')} f USING (frame_id)) AS on_stack USING (stack_id)
      JOIN ${table('symbols')} s ON s.symbol_id = on_stack.symbol_id
      GROUP BY s.name`);
      for (const { key, total } of profile.hotspots()) {
        // An empty stack has no frames.
        if (key === '[no stack]') continue;
        assert.equal(totals.find((row) => row.key === key)?.total, total, key);
      }
    }
    const samples = `'${path.join(folders.small, 'samples.parquet')}'`;
    const phases = `'${path.join(folders.small, 'phases.parquet')}'`;
    assert.deepEqual(
      await rows(
        `SELECT p.name, p.compiler, count(*)::INT AS n, any_value(p.wall_ms) AS wall
       FROM ${samples} JOIN ${phases} p USING (phase_id) GROUP BY ALL ORDER BY n`,
      ),
      [
        { name: 'make', compiler: 'web', n: 4, wall: 4.5 },
        { name: 'after', compiler: '', n: 5, wall: 1995.5 },
      ],
    );
    const [{ first, cpus, ends }] = await rows(
      `SELECT min(time_ns) AS first, count(DISTINCT cpu)::INT AS cpus, list(DISTINCT "end" ORDER BY "end") AS ends
     FROM ${samples}`,
    );
    assert.equal(first, 5_000_001_000_123n);
    assert.equal(cpus, 2);
    assert.deepEqual(ends.items, ['broken', 'complete', 'truncated']);
  },
);

test('polars: the top ten', { skip: isHere('nodejs-polars') }, () => {
  /** @type {any} */
  const pl = require('nodejs-polars');
  for (const [name, profile] of Object.entries(PROFILES)) {
    const table = (/** @type {string} */ file) =>
      pl.readParquet(path.join(folders[name], `${file}.parquet`));
    const found = table('samples')
      .join(table('symbols'), { on: 'symbol_id' })
      .groupBy('name', 'object')
      .agg(pl.col('weight').sum().alias('self'), pl.col('weight').count().alias('samples'))
      .sort('self', true)
      .head(10)
      .toRecords()
      .map((/** @type {any} */ row) => ({
        key: `${row.name},${row.object}`,
        self: row.self,
        samples: Number(row.samples),
      }));
    assert.deepEqual(
      ordered(found),
      ordered(topTen(profile).filter(({ samples }) => samples > 0)),
      name,
    );
  }
});
