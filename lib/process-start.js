'use strict';
// When a process began, which together with its number names it: numbers come around.

const fs = require('node:fs');

/**
 * Field 22 of proc(5)'s stat, in ticks since the machine started.
 * @param {number} pid
 * @returns {string} '' where none lives, or /proc does not tell
 */
function startOf(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.split(') ').at(-1)?.split(' ') ?? [];
    return 'ZX'.includes(fields[0] || 'X') ? '' : fields[19];
  } catch {
    return '';
  }
}

module.exports = { startOf };
