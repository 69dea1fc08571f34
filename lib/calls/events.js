'use strict';
// Reads the file of events that src/trace/spill.h describes, chunk by chunk: memory does not grow with
// the file. What a full disk or a killed tracer cut off ends the reading, and is told by `cut`.

const fs = require('node:fs');
const { ProfError } = require('../errors.js');

const MAGIC = 'rspackprof-call1';
const HEAD_BYTES = 16;
/** "CALL", little-endian. */
const CHUNK = 0x4c4c4143;
const CHUNK_BYTES_MOST = 1 << 20;
const TID_MOST = 2 ** 32 - 1;
/** Its kind, its time and its thread. */
const EVENT_BYTES_LEAST = 3;
/** sftrace's kinds, and ours: a call that was left unseen. */
const KIND = { ENTRY: 1, EXIT: 2, TAIL: 3, UNSEEN: 4 };
/** On disk alone: of the innermost open call, who handed over the job that it runs. */
const SPAWNED = 6;

/**
 * @typedef {object} Batch the events of one chunk, as columns
 * @property {number} length
 * @property {Float64Array} timeNs
 * @property {Float64Array} frame from 1, in the order of entries
 * @property {Float64Array} parent 0: none
 * @property {Uint32Array} tid
 * @property {Uint32Array} func
 * @property {Uint8Array} kind
 * @property {Flow[]} flows
 *
 * @typedef {object} Flow a job of rayon or tokio, handed over by one call and run by another
 * @property {number} frame of the call that runs it
 * @property {number} spawner frame of the call that handed it over
 * @property {number} tid
 * @property {number} spawnerTid
 * @property {number} timeNs
 * @property {number} spawnedNs
 */

/** @param {Uint8Array} bytes FNV-1a */
function checksum(bytes) {
  let hash = 2166136261;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 16777619);
  return hash >>> 0;
}

/** Open calls by thread, as pairs of frame and function, to know whose an end is. */
class Reader {
  /** @param {number} functions how many there are */
  constructor(functions) {
    this.functions = functions;
  }

  /** @type {Map<number, number[]>} */
  open = new Map();
  frames = 0;
  lastNs = 0;
  lastTid = 0;

  /**
   * @param {Uint8Array} bytes
   * @param {number} length events
   * @returns {Batch | null} null: these are no such events
   */
  decode(bytes, length) {
    if (length > bytes.length / EVENT_BYTES_LEAST) return null;
    const batch = {
      length,
      timeNs: new Float64Array(length),
      frame: new Float64Array(length),
      parent: new Float64Array(length),
      tid: new Uint32Array(length),
      func: new Uint32Array(length),
      kind: new Uint8Array(length),
      flows: /** @type {Flow[]} */ ([]),
    };
    let at = 0;
    const number = () => {
      let value = 0;
      // Times are below 2^63: beyond 2^53 only the first one of a file would be, and is not.
      for (let scale = 1; at < bytes.length; scale *= 128) {
        const byte = bytes[at++];
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
      return NaN;
    };
    const signed = () => {
      const value = number();
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    };
    let i = 0;
    for (let left = length; left > 0; left--) {
      const kind = number();
      this.lastNs += signed();
      this.lastTid += signed();
      const isTime = this.lastNs >= 0 && this.lastNs <= Number.MAX_SAFE_INTEGER;
      if (!isTime || !(this.lastTid >= 0 && this.lastTid <= TID_MOST)) return null;
      let calls = this.open.get(this.lastTid);
      if (!calls) this.open.set(this.lastTid, (calls = []));
      if (kind === SPAWNED) {
        const frame = calls[calls.length - 2] ?? NaN;
        const [spawner, spawnedNs] = [frame - number(), this.lastNs - number()];
        const spawnerTid = this.lastTid + signed();
        const isSpawn = spawner > 0 && spawnedNs >= 0 && spawnerTid >= 0 && spawnerTid <= TID_MOST;
        if (!isSpawn) return null;
        const { lastTid: tid, lastNs: timeNs } = this;
        batch.flows.push({ frame, spawner, tid, spawnerTid, timeNs, spawnedNs });
        continue;
      }
      batch.kind[i] = kind;
      batch.timeNs[i] = this.lastNs;
      batch.tid[i] = this.lastTid;
      if (kind === KIND.ENTRY) {
        const func = number();
        if (!(func < this.functions)) return null;
        batch.parent[i] = calls.length > 0 ? calls[calls.length - 2] : 0;
        calls.push(++this.frames, func);
        batch.frame[i] = this.frames;
        batch.func[i] = func;
      } else {
        if (calls.length === 0 || !(kind >= KIND.EXIT && kind <= KIND.UNSEEN)) return null;
        batch.func[i] = /** @type {number} */ (calls.pop());
        batch.frame[i] = /** @type {number} */ (calls.pop());
        batch.parent[i] = calls.length > 0 ? calls[calls.length - 2] : 0;
      }
      i++;
    }
    batch.length = i;
    return at === bytes.length ? batch : null;
  }
}

/**
 * @param {string} file
 * @param {{ cut?: string }} [state] cut: why the reading ended before the file did
 * @param {number} [functions] how many there are: an event of another is none
 * @returns {Generator<Batch>}
 */
function* readEvents(file, state = {}, functions = Infinity) {
  let fd;
  try {
    fd = fs.openSync(file, 'r');
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    throw new ProfError('ERR_PROF_BAD_FILE', `cannot read ${file} (${code})`, { cause: error });
  }
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    if (fs.readSync(fd, head, 0, HEAD_BYTES, 0) < HEAD_BYTES || head.toString('latin1') !== MAGIC) {
      throw new ProfError('ERR_PROF_BAD_FILE', `${file} has no events of a trace of ours`);
    }
    const reader = new Reader(functions);
    for (let offset = HEAD_BYTES; ;) {
      const got = fs.readSync(fd, head, 0, HEAD_BYTES, offset);
      if (got === 0) return;
      const bytes = head.readUInt32LE(8);
      if (got < HEAD_BYTES || head.readUInt32LE(0) !== CHUNK || bytes > CHUNK_BYTES_MOST) {
        state.cut = `the file of events ends in a chunk that is not whole, at byte ${offset}`;
        return;
      }
      const body = Buffer.alloc(bytes);
      const whole = fs.readSync(fd, body, 0, bytes, offset + HEAD_BYTES) === bytes;
      const sound = whole && checksum(body) === head.readUInt32LE(12);
      const batch = sound ? reader.decode(body, head.readUInt32LE(4)) : null;
      if (!batch) {
        state.cut = `the file of events cannot be read beyond byte ${offset}`;
        return;
      }
      yield batch;
      offset += HEAD_BYTES + bytes;
    }
  } finally {
    fs.closeSync(fd);
  }
}

module.exports = { KIND, readEvents };
