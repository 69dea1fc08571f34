'use strict';
// Where the sockets of attachable processes are: one folder for each user, mode 0700, below /run/user
// where the system made a folder for this user, else below /tmp. Neither hangs on the environment: the
// server and the shell that attaches to it may have different ones.
// Refuses a folder that is a link, somebody else's, or open to others: whoever made it could put a
// socket of theirs in our place.

const fs = require('node:fs');
const path = require('node:path');
const { ProfError } = require('../errors.js');

const FOLDER_MODE = 0o700;
const SOCKET = /^(\d+)\.sock$/;

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

/** @param {string} folder @param {number} pid */
const socketIn = (folder, pid) => path.join(folder, `${pid}.sock`);

/**
 * The sockets that are there, whether or not anybody listens.
 * @param {string[]} [folders]
 * @returns {{pid: number, file: string}[]}
 */
function sockets(folders = foldersOf(ownUid())) {
  return folders.flatMap((folder) => {
    try {
      if (problemWith(folder, ownUid()) !== '') return [];
      return fs.readdirSync(folder).flatMap((name) => {
        const pid = SOCKET.exec(name)?.[1];
        return pid ? [{ pid: Number(pid), file: path.join(folder, name) }] : [];
      });
    } catch {
      return []; // not there
    }
  });
}

module.exports = { makeFolder, ownUid, socketIn, sockets };
