'use strict';
// What kind of work a sample is: parsing, allocation, GC. The innermost frame that has a rule
// decides, so that a memcpy in the parser is copying, and a hash map in it hashing. Three things
// bound how far a rule reaches (docs/categories.md):
// - it covers what its frame calls, as long as the language stays: JavaScript that the code generator
//   called is JavaScript;
// - a rule that is `near` covers only calls that belong to no part of a build by themselves
//   (libc, the kernel, V8, Rust's own library): tokio stands on every stack of its threads;
// - where no frame has a rule, the language of the leaf is the category.

const { KINDS } = require('./keys.js');

/** @typedef {import('./profile').Profile} Profile */
/** @typedef {{category: string, kinds: string[], name?: RegExp, crate?: RegExp, file?: RegExp, near?: boolean}} Rule */

const RUST = ['rust'];
const JS = ['js'];
const V8 = ['v8', 'native'];

/** The first that matches counts. @type {Rule[]} */
const RULES = [
  // The kernel.
  {
    category: 'page faults',
    kinds: ['kernel'],
    name: /^(asm_)?exc_page_fault|^(do_user_addr|handle_mm)_fault/,
  },
  {
    category: 'memory mapping',
    kinds: ['kernel'],
    name: /^__(x64|arm64)_sys_(mmap|munmap|mremap|madvise|mprotect|brk)$/,
  },
  {
    category: 'waking and pipes',
    kinds: ['kernel'],
    name: /^(eventfd_|pipe_|anon_pipe_|sock_|unix_stream_|tcp_|do_epoll_|__(x64|arm64)_sys_epoll_)/,
  },
  {
    category: 'file I/O',
    kinds: ['kernel'],
    name: /^(vfs_|ksys_p?(read|write)|do_sys_open|do_filp_open|path_(open|lookup)at|filename_|do_(sys_|file_|fchmod|unlink|rename|mkdir|readlink)|iterate_dir|__(x64|arm64)_sys_(p?(read|write)v?(64)?|open(at)?|close|l?stat|new[fl]?stat(at)?|statx|f?access(at)?2?|readlink(at)?|getdents(64)?|unlink(at)?|rename(at)?2?|mkdir(at)?|fsync|ftruncate|copy_file_range|sendfile(64)?|io_uring_enter)$)/,
  },
  // V8 and node.
  {
    category: 'GC',
    kinds: V8,
    name: /^v8::internal::(Heap|Scaveng|MarkCompact|Marking|ConcurrentMarking|IncrementalMarking|MinorMarkSweep|MinorGC|MajorGC|Sweeper|Evacuat|GCTracer|GlobalHandles|LocalHeap|PretenuringHandler|WeakObjects|BodyDescriptor|Ephemeron|RootVisit|PointersUpdating|PageParallelJob|Memory(Allocator|Chunk|Reducer)|(Paged|New|SemiSpace|LargeObject)Space|SafepointScope|GlobalSafepoint|cppgc)|^cppgc::|^Builtins_(RecordWrite|EphemeronKeyBarrier)/,
  },
  {
    category: 'JIT compilation',
    kinds: V8,
    name: /^v8::internal::(compiler|maglev|baseline|interpreter|turboshaft|wasm::.*Compil|parsing|Parser|ParserBase|PreParser|Scanner|Compiler|UnoptimizedCompil|OptimizedCompil|TurbofanCompil|Turbofan|Optimizing|BackgroundCompile|LazyCompile|Assembler|MacroAssembler|RegExp(Impl|Compiler|Parser|Macro)|Bytecode(Generator|Array(Writer|Builder))|Scope|DeclarationScope|Ast|AST|Zone|Deoptimizer|CodeCache|Code(Serializer|Deserializer))|^Builtins_(CompileLazy|InterpreterOnStackReplacement|BaselineOnStackReplacement)/,
  },
  {
    category: 'serialization',
    kinds: V8,
    name: /Json(Stringif|Parse)|JSON::|^v8::(internal::)?Value(Des|S)erializer|^Builtins_Json/,
  },
  {
    category: 'JS-Rust crossing',
    kinds: ['native'],
    name: /^(napi_(?!call_function|new_instance|run_script|make_callback|call_threadsafe)|v8impl::|node_api_)/,
    near: true,
  },
  // libc and the allocators.
  {
    category: 'allocation',
    kinds: ['native', 'rust'],
    name: /^(_*(libc_)?(malloc|calloc|realloc|cfree|free|memalign|aligned_alloc|posix_memalign)(@|$)|_int_(malloc|free|realloc|memalign)|malloc_consolidate|unlink_chunk|tcache_|sysmalloc|systrim|_?mi_|je_|rjem_|_rjem_|operator (new|delete))|__r(dl|g|ust)_(de|re)?alloc|^<?alloc::(alloc|raw_vec)::|^<mimalloc|^<alloc::raw_vec/,
  },
  {
    category: 'string and copy work',
    kinds: ['native'],
    name: /^_*(mem|wmem|str|stp|wcs|rawmem)(cpy|move|set|cmp|chr|rchr|len|nlen|ncmp|ncpy|str|pcpy|mem|casecmp|spn|cspn|coll|cat|dup)/,
  },
  // Rust.
  { category: 'assertions', kinds: RUST, name: /\bAssertValid\b/ },
  {
    category: 'hashing',
    kinds: RUST,
    crate:
      /^(hashbrown|rustc_hash|ahash|fxhash|ustr_fxhash|xxhash_rust|twox_hash|siphasher|indexmap|dashmap|scc|sha[123]|md[45]|md_5|blake3|rspack_hash)$/,
    name: /\bhash_one\b|core::hash::/,
  },
  {
    category: 'locks',
    kinds: RUST,
    crate: /^(parking_lot|parking_lot_core|spin|async_lock)$/,
    name: /^<?std::(sync|sys::sync)::|^<?tokio::sync::/,
    near: true,
  },
  {
    category: 'scheduling and stealing',
    kinds: RUST,
    crate: /^(tokio|rayon|rayon_core|crossbeam|crossbeam_\w+|futures\w*|async_\w+|mio|polling)$/,
    near: true,
  },
  { category: 'JS-Rust crossing', kinds: RUST, crate: /^(napi\w*|rspack_napi\w*)$/, near: true },
  {
    category: 'serialization',
    kinds: RUST,
    crate: /^(serde\w*|simd_json|sonic_rs|rkyv|rmp\w*|bincode|postcard|bytecheck|json|vlq)$/,
  },
  {
    category: 'string and copy work',
    kinds: RUST,
    crate: /^(memchr|hstr|swc_atoms|aho_corasick|itoa|ryu|smol_str|compact_str)$/,
  },
  {
    category: 'minification',
    kinds: RUST,
    name: /\b(swc_ecma_minifier|swc_ecma_mangler|lightningcss|swc_css_minifier|swc_html_minifier)\b/,
  },
  {
    category: 'parsing',
    kinds: RUST,
    name: /^<?(swc_\w+_parser|swc_\w+_lexer|cssparser|rspack_javascript_compiler::.*parse|rspack_plugin_javascript::(\w+::)*parser|swc_compiler_base::parse)\b/,
    crate:
      /^(swc\w*_(parser|lexer)|cssparser|css_module_lexer|es_module_lexer|regress|jsonc_parser)$/,
  },
  {
    category: 'code generation',
    kinds: RUST,
    name: /\bswc\w*_codegen\b|^<?rspack_core::.*::(code_generation|generate)\b/,
    crate: /^(swc\w*_codegen|rspack_sources|swc_sourcemap|sourcemap|rspack_plugin_runtime)$/,
  },
  {
    category: 'transformation',
    kinds: RUST,
    name: /\bswc_(ecma_(transforms?|compat|preset|hooks|ext|utils|usage|lints|quote|loader|react|regexp)\w*|typescript|plugin\w*|common::pass)\b/,
    crate: /^(swc|swc_ecma_\w+|swc_experimental_\w+|preset_env_base|browserslist\w*)$/,
  },
  {
    category: 'resolving',
    kinds: RUST,
    crate: /^(rspack_resolver|oxc_resolver|rspack_resolve|unrs_resolver)$/,
  },
  // JavaScript.
  {
    category: 'parsing',
    kinds: JS,
    file: /node_modules[\\/](@babel[\\/]parser|acorn[\w-]*|espree|meriyah|esprima|es-module-lexer|postcss[\\/]lib[\\/](parse|tokenize|input)|parse5|htmlparser2|css-tree[\\/]lib[\\/](parser|tokenizer)|sucrase[\\/]dist[\\/]parser)[\\/]?/,
  },
  {
    category: 'code generation',
    kinds: JS,
    file: /node_modules[\\/](@babel[\\/]generator|magic-string|source-map(-js)?|webpack-sources|@jridgewell[\\/]\S*|escodegen|postcss[\\/]lib[\\/](stringif|map-gen)\S*)[\\/]?/,
  },
  {
    category: 'transformation',
    kinds: JS,
    file: /node_modules[\\/]@babel[\\/](traverse|plugin-|helper-|preset-)/,
  },
  {
    category: 'minification',
    kinds: JS,
    file: /node_modules[\\/](terser|uglify-js|esbuild|cssnano[\w-]*|csso|clean-css)[\\/]/,
  },
  { category: 'resolving', kinds: JS, file: /node_modules[\\/](enhanced-resolve|resolve)[\\/]/ },
  { category: 'module loading', kinds: JS, file: /^node:internal\/modules\// },
  { category: 'GC', kinds: JS, name: /^\(garbage collector\)/ },
];

/** By KINDS of the leaf. @type {Record<string, string>} */
const FALLBACK = {
  rust: 'other Rust',
  js: 'JavaScript',
  v8: 'JavaScript',
  native: 'other native',
  kernel: 'other kernel',
};

/** Rust's own library, and what it is built on. */
const TRANSPARENT_CRATES =
  /^(core|alloc|std|__rustc|hashbrown|libc|mio|slab|bytes|smallvec|once_cell|scoped_tls|stacker|psm)$/;

/** In the order of RULES. */
const RULES_OF_KIND = Object.fromEntries(
  KINDS.map((kind) => [kind, RULES.filter(({ kinds }) => kinds.includes(kind))]),
);

/**
 * @param {Profile} profile
 * @param {number} func
 * @returns {Rule | undefined}
 */
function ruleOf({ raw, names }, func) {
  const { funcs, strings } = raw;
  const name = names.text[names.id[func]];
  const crate = funcs.crate[func] > 0 ? strings[funcs.crate[func]] : '';
  const file = funcs.file[func] > 0 ? strings[funcs.file[func]] : '';
  // The crate first: it is short, and a function's name may have kilobytes.
  for (const rule of RULES_OF_KIND[KINDS[funcs.kind[func]]]) {
    if (rule.crate?.test(crate) || rule.name?.test(name) || rule.file?.test(file)) return rule;
  }
  return undefined;
}

/**
 * @param {Profile} profile
 * @param {number} func
 */
function isTransparent({ raw }, func) {
  const kind = KINDS[raw.funcs.kind[func]];
  if (kind === 'js') return false;
  return kind !== 'rust' || TRANSPARENT_CRATES.test(raw.strings[raw.funcs.crate[func]] ?? '');
}

/** 1 JavaScript, 2 Rust, 0 neither: libc belongs to who called it. @param {Profile} profile @param {number} func */
function languageOf({ raw }, func) {
  const kind = KINDS[raw.funcs.kind[func]];
  return kind === 'js' ? 1 : kind === 'rust' ? 2 : 0;
}

/** @param {Profile} profile @param {number} func */
function fallbackOf({ raw, names }, func) {
  // V8's runtime functions are how JavaScript does what it does.
  if (names.text[names.id[func]].startsWith('v8::internal::')) return FALLBACK.v8;
  return FALLBACK[KINDS[raw.funcs.kind[func]]];
}

/**
 * What the rules say of each function, as columns.
 * @param {Profile} profile
 * @param {Map<string, number>} idOf of a category's name
 */
function rulesByFunc(profile, idOf) {
  const size = profile.raw.funcs.name.length;
  const category = new Int16Array(size).fill(-1);
  const [near, transparent, language, fallback] = Array.from(
    { length: 4 },
    () => new Uint8Array(size),
  );
  for (let func = 0; func < size; func++) {
    const rule = ruleOf(profile, func);
    if (rule) category[func] = Number(idOf.get(rule.category));
    near[func] = rule?.near === true ? 1 : 0;
    transparent[func] = isTransparent(profile, func) ? 1 : 0;
    language[func] = languageOf(profile, func);
    fallback[func] = Number(idOf.get(fallbackOf(profile, func)));
  }
  return { category, near, transparent, language, fallback };
}

/**
 * @param {Profile} profile
 * @returns {{names: string[], ofNode: Uint8Array}} ofNode: index into names
 */
function categoriesOf(profile) {
  const names = [...new Set([...Object.values(FALLBACK), ...RULES.map((rule) => rule.category)])];
  const own = rulesByFunc(profile, new Map(names.map((name, id) => [name, id])));
  return { names, ofNode: profile.scratch.lend((take) => spread(profile, own, take)) };
}

/**
 * From each function with a rule to what it calls.
 * @param {Profile} profile
 * @param {ReturnType<typeof rulesByFunc>} own
 * @param {import('./scratch').Take} take
 * @returns {Uint8Array} by node
 */
function spread(profile, own, take) {
  const { parent, func } = profile.raw.nodes;
  const size = parent.length;
  // What a node is, and what its calls are unless they have a rule: all of them, or the near ones.
  const reachAll = take(Int16Array, size).fill(-1);
  const reachNear = take(Int16Array, size).fill(-1);
  /** The language of the innermost frame that has one. */
  const language = take(Uint8Array, size);
  const ofNode = new Uint8Array(size);
  for (let node = 1; node < size; node++) {
    const id = func[node];
    const up = parent[node];
    const spoken = own.language[id];
    const category = own.category[id];
    language[node] = spoken || language[up];
    const isSame = spoken === 0 || language[up] === 0 || spoken === language[up];
    const all = isSame ? reachAll[up] : -1;
    const near = own.transparent[id] === 1 ? reachNear[up] : all;
    reachNear[node] = category >= 0 ? category : near;
    reachAll[node] = category >= 0 && own.near[id] === 0 ? category : all;
    ofNode[node] = reachNear[node] >= 0 ? reachNear[node] : own.fallback[id];
  }
  return ofNode;
}

module.exports = { TRANSPARENT_CRATES, categoriesOf };
