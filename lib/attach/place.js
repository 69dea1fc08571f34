'use strict';
// Where the sockets of attachable processes are: one folder for each user, mode 0700, below /run/user
// where the system made a folder for this user, else below /tmp. Neither hangs on the environment: the
// server and the shell that attaches to it may have different ones. Containers may share the folder and
// have processes of one number: each pid namespace has names of its own in it.
// Refuses a folder that is a link, somebody else's, or open to others: whoever made it could put a
// socket of theirs in our place.

const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('../errors.js');

const FOLDER_MODE = 0o700;
const SOCKET = /^(\d+)-(\d+)\.sock$/;

/** @returns {number} the user that the kernel judges by */
const ownUid = () => /** @type {() => number} */ (process.geteuid)();

/**
 * @param {number} uid
 * @returns {string[]} in which a process of this user may listen, best first
 */
function foldersOf(uid) {
  return [`/run/user/${uid}/rspack-prof`, `/tmp/rspack-prof-${uid}`];
}

/**
 * @param {string} folder
 * @param {number} uid
 * @returns {string} why its contents cannot be trusted, '' where they can
 */
function problemWith(folder, uid) {
  const stat = fs.lstatSync(folder);
  if (!stat.isDirectory()) return 'is no folder';
  if (stat.uid !== uid) return `belongs to uid ${stat.uid}`;
  if ((stat.mode & 0o077) !== 0) return 'is open to other users';
  return '';
}

/**
 * The folder to listen in; made where it is missing.
 * @param {string[]} [folders]
 */
function makeFolder(folders = foldersOf(ownUid())) {
  const uid = ownUid();
  const parentIsOurs = (/** @type {string} */ folder) =>
    fs.statSync(path.dirname(folder), { throwIfNoEntry: false })?.uid === uid;
  const folder = folders.find(parentIsOurs) ?? /** @type {string} */ (folders.at(-1));
  try {
    fs.mkdirSync(folder, { mode: FOLDER_MODE });
  } catch (error) {
    const { code, message, errno } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'EEXIST') {
      throw new ProfError('ERR_PROF_PERMISSION', `no folder for the control socket: ${message}`, {
        ...{ errno, syscall: 'mkdir', cause: error },
      });
    }
  }
  const problem = problemWith(folder, uid);
  if (problem === '') return folder;
  throw new ProfError(
    'ERR_PROF_PERMISSION',
    `${folder}, where control sockets are, ${problem}: remove it (rm -r ${folder}), it is made anew`,
  );
}

/** The pid namespace that this process's number is of; 0 where there is no /proc to tell. */
function ownNamespace() {
  return fs.statSync('/proc/self/ns/pid', { throwIfNoEntry: false })?.ino ?? 0;
}

/** @param {string} folder @param {number} pid @param {number} [namespace] */
const socketIn = (folder, pid, namespace = ownNamespace()) =>
  path.join(folder, `${pid}-${namespace}.sock`);

/**
 * The sockets that are there, whether or not anybody listens.
 * @param {string[]} [folders]
 * @returns {{pid: number, namespace: number, file: string}[]}
 */
function allSockets(folders = foldersOf(ownUid())) {
  return folders.flatMap((folder) => {
    try {
      if (problemWith(folder, ownUid()) !== '') return [];
      return fs.readdirSync(folder).flatMap((name) => {
        const [, pid, namespace] = SOCKET.exec(name) ?? [];
        const file = path.join(folder, name);
        return pid ? [{ pid: Number(pid), namespace: Number(namespace), file }] : [];
      });
    } catch {
      return []; // not there
    }
  });
}

/**
 * Of processes whose numbers are ours too: what another namespace's listen at cannot be attached to.
 * @param {string[]} [folders]
 * @returns {{pid: number, file: string}[]}
 */
function sockets(folders) {
  const own = ownNamespace();
  return allSockets(folders).flatMap(({ pid, namespace, file }) =>
    namespace === own ? [{ pid, file }] : [],
  );
}

module.exports = { allSockets, makeFolder, ownNamespace, ownUid, socketIn, sockets };
