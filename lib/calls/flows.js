'use strict';
// The functions of rayon and tokio that tell who handed a job over and who runs it, by their names in a
// binding with symbols (rspack 2.2.7: rayon-core 1.12, tokio 1.4x). What a role means: src/trace/flow.h.

const ROLE = { NONE: 0, RAYON_PUSH: 1, RAYON_RUN: 2, TOKIO_SPAWN: 3, TOKIO_RUN: 4 };

/** @type {[RegExp, number][]} */
const FUNCTIONS = [
  [/^<crossbeam_deque::deque::(Worker|Injector)<rayon_core::job::JobRef>>::push$/, ROLE.RAYON_PUSH],
  [/^<rayon_core::job::(Stack|Heap|Arc)Job<.*> as rayon_core::job::Job>::execute$/, ROLE.RAYON_RUN],
  [
    /^<tokio::runtime::task::list::(Local)?OwnedTasks<.*>>::bind_inner$|^<tokio::runtime::blocking::pool::Spawner>::spawn_task$/,
    ROLE.TOKIO_SPAWN,
  ],
  [
    /^tokio::runtime::task::raw::poll::<.*>$|^<tokio::runtime::task::harness::Harness<.*>>::poll$/,
    ROLE.TOKIO_RUN,
  ],
];

/** @param {string} name @returns {number} */
function roleOf(name) {
  // Most names are of neither: two comparisons spare four patterns.
  if (
    !name.includes('rayon_core::job::') &&
    !name.startsWith('tokio::runtime::task::raw::poll') &&
    !name.startsWith('<tokio::runtime::')
  )
    return ROLE.NONE;
  return FUNCTIONS.find(([pattern]) => pattern.test(name))?.[1] ?? ROLE.NONE;
}

/** Of a function that runs jobs. @param {number} role @returns {'rayon' | 'tokio' | null} */
function runtimeOf(role) {
  if (role === ROLE.RAYON_RUN) return 'rayon';
  return role === ROLE.TOKIO_RUN ? 'tokio' : null;
}

module.exports = { ROLE, roleOf, runtimeOf };
