'use strict';
// Hints about Rust: allocation, hash tables, strings, tasks. They need a binding with symbols: without,
// their functions are addresses, and nothing is said.
//
// `what` names what was measured, `did` what people did about it; a rule claims nothing else.

/** @typedef {import('./index').Rule} Rule */

/** The keys of maps in swc and rspack: interned words, and words with their syntax context. */
const IDENTIFIER =
  /\b(hstr::Atom|Atom|SyntaxContext|rspack_intern::atom|rspack_collections::identifier|Identifier)\b/;
/** The function is a map's own: one that only has a map in its arguments is not. */
const MAP =
  /^<?(?:&mut |&)?(?:hashbrown|indexmap|dashmap|std::collections::hash|core::hash|rustc_hash)::/;
const STRINGS =
  /\b(alloc::fmt::format|core::fmt::(write|Formatter)|alloc::string::String>?::(push_str|push|insert_str|from_utf8_lossy)|ToString>?::to_string|SpecToString|alloc::str::(join|replace)|<str>::(replace|to_lowercase|to_uppercase|repeat))/;

/** @type {Rule[]} */
const RULES = [
  {
    code: 'allocation',
    find: (evidence) => evidence.inCategory('allocation'),
    what: 'in the allocator (malloc, free and theirs)',
    did: 'what was done elsewhere: clear() and use a buffer again, with_capacity(), SmallVec or an arena for what is small, Arc or a reference for a clone',
    note: (profile) =>
      /@rspack-debug\//.test(profile.meta.binding ?? '')
        ? "the debug binding has the system's allocator, the release build mimalloc"
        : '',
  },
  {
    code: 'rehash',
    find: (evidence) =>
      evidence.through(
        ({ kind, name }) => kind === 'rust' && /\breserve_rehash|RawTable\w*>?::resize/.test(name),
      ),
    what: 'growing hash tables (reserve_rehash)',
    did: 'what was done elsewhere: with_capacity() where the table is made, or one reserve() before the loop that fills it',
  },
  {
    code: 'strings',
    find: (evidence) => evidence.through(({ kind, name }) => kind === 'rust' && STRINGS.test(name)),
    what: 'building strings (format!, to_string, push_str)',
    did: 'what was done elsewhere: write!() into one String that is kept, Cow<str> where most stay as they are, itoa and ryu for numbers',
  },
  {
    code: 'tasks',
    find: (evidence) => evidence.inCategory('scheduling and stealing'),
    what: 'handing out tasks (Stealer::steal, start_send, the schedulers of tokio and rayon)',
    did: 'what was done elsewhere where tasks were tiny: chunks of them (par_chunks, with_min_len), one spawn for many; threads that look for work which is not there show here too',
  },
  {
    code: 'identifier-maps',
    find: (evidence) =>
      evidence.through(
        ({ kind, name }) => kind === 'rust' && MAP.test(name) && IDENTIFIER.test(name),
        { near: true },
      ),
    what: 'in maps whose keys are identifiers (Atom, Id)',
    did: 'what was done elsewhere: an atom has its hash already, so a hasher that takes it as it is (IdentifierMap of rspack_collections), or numbers for identifiers and a Vec',
  },
  {
    code: 'own-trace',
    find: (evidence) =>
      evidence.through(({ crate }) => /^tracing(_\w+)?$/.test(crate), { near: true }),
    what: "writing rspack's own trace",
    did: "fewer spans cost less: trace: 'stages', or no RSPACK_PROFILE",
  },
];

module.exports = { RULES };
