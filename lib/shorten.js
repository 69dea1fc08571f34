'use strict';
// Function names that fit a column. A Rust name can be 22 KB long: what tells the functions apart is
// the type, the trait and the method, so generic arguments go first, then module paths, and the
// middle last. What was taken out is always marked: `..` inside a name, `…` in its middle.
// Names come as the demanglers write them: Rust v0 and legacy, C++, or `function file:line:column`.

/** C++ operators hold brackets that are none: they travel as one private-use character. */
const OPERATOR = /\boperator\s?(<=>|<<=|>>=|->\*|<<|>>|<=|>=|->|<|>|\(\))/g;
const FIRST_STAND_IN = 0xe000;

/**
 * @typedef {object} Group
 * @property {string} open
 * @property {boolean} plain whether it lists arguments (of a generic or a C++ function), so that
 *   `..` can stand for them; a Rust `<X as Y>` is no list
 * @property {(string | Group)[]} items
 */

const CLOSE = new Map([
  ['<', '>'],
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
]);

/**
 * The nested brackets of a name. Brackets that do not match are text.
 * @param {string} name
 * @returns {(string | Group)[]}
 */
function parseName(name) {
  /** @type {Group} */
  const top = { open: '', plain: false, items: [] };
  const stack = [top];
  let from = 0;
  const flush = (/** @type {number} */ until) => {
    if (until > from) stack[stack.length - 1].items.push(name.slice(from, until));
    from = until + 1;
  };
  for (let i = 0; i < name.length; i++) {
    const char = name[i];
    if (CLOSE.has(char)) {
      flush(i);
      const before = name[i - 1] ?? '';
      // `Vec<T>`, `call::<T>` and `f(int)` list arguments; `<X as Y>`, `(A, B)`, `{closure#0}` do not.
      const plain =
        char === '<' ? /[\w:~\ue000-\uf8ff]/.test(before) : /[\w>\ue000-\uf8ff]/.test(before);
      /** @type {Group} */
      const group = { open: char, plain, items: [] };
      stack[stack.length - 1].items.push(group);
      stack.push(group);
    } else if (stack.length > 1 && CLOSE.get(stack[stack.length - 1].open) === char) {
      if (char === '>' && name[i - 1] === '-') continue; // `fn() -> T`
      flush(i);
      stack.pop();
    }
  }
  flush(name.length);
  return stack.length === 1 ? top.items : [name];
}

/**
 * @typedef {object} Detail
 * @property {number} lists levels of argument lists to keep
 * @property {boolean} trait whether `<X as Trait>` keeps the trait's path
 * @property {boolean} type whether `<X as Trait>` keeps the type's path
 */

/** @param {string} text */
const lastSegments = (text) => text.replace(/(?:[\w$]+::)+(?=[\w$]|$)/g, '');

/**
 * @param {(string | Group)[]} items
 * @param {Detail} detail
 * @param {number} depth of argument lists around
 * @returns {string}
 */
function render(items, detail, depth = 0) {
  return items
    .map((item) => {
      if (typeof item === 'string') return item;
      const close = CLOSE.get(item.open);
      if (item.plain) {
        if (item.items.length > 0 && depth >= detail.lists) return `${item.open}..${close}`;
        return item.open + render(item.items, detail, depth + 1) + close;
      }
      const inside = render(item.items, detail, depth);
      return item.open + (item.open === '<' ? shortQualified(inside, detail) : inside) + close;
    })
    .join('');
}

/**
 * @param {string} inside of `<X as Y>` or `<X>`
 * @param {Detail} detail
 */
function shortQualified(inside, detail) {
  const at = inside.lastIndexOf(' as ');
  const type = at < 0 ? inside : inside.slice(0, at);
  const trait = at < 0 ? '' : inside.slice(at);
  return (
    (detail.type ? type : lastSegments(type)) +
    (detail.trait ? trait : ` as ${lastSegments(trait.slice(4))}`.slice(0, at < 0 ? 0 : undefined))
  );
}

/** @type {readonly Detail[]} */
const DETAILS = [
  { lists: Infinity, trait: true, type: true },
  { lists: 1, trait: true, type: true },
  { lists: 0, trait: true, type: true },
  { lists: 0, trait: false, type: true },
  { lists: 0, trait: false, type: false },
];

/**
 * `a::b::c::d` with fewer and fewer of its path: the type and function stay longest, then the crate.
 * @param {string} name without argument lists
 * @returns {Generator<string>}
 */
function* fewerSegments(name) {
  // A path ends where a bracket or a blank begins: only the leading one is cut.
  const lead = /^[\w$]+(?:::[\w$]+)*(?=::|$)/.exec(name)?.[0] ?? '';
  const parts = lead.split('::');
  const rest = name.slice(lead.length);
  const tail = (/** @type {number} */ from) => `..::${parts.slice(from).join('::')}${rest}`;
  for (let from = 2; from < parts.length - 1; from++) yield `${parts[0]}::${tail(from)}`;
  for (let from = 2; from < parts.length; from++) yield tail(from);
  if (parts.length > 1) yield parts[parts.length - 1] + rest;
}

/**
 * @param {string} name
 * @param {number} width
 */
function nativeName(name, width) {
  /** @type {string[]} */
  const operators = [];
  const masked = name.replace(OPERATOR, (whole) => {
    operators.push(whole);
    return String.fromCharCode(FIRST_STAND_IN + Math.min(operators.length - 1, 0x18ff));
  });
  const restore = (/** @type {string} */ text) =>
    text.replace(/[\ue000-\uf8ff]/g, (c) => operators[c.charCodeAt(0) - FIRST_STAND_IN] ?? c);
  const items = parseName(masked);
  let text = '';
  for (const detail of DETAILS) {
    text = restore(render(items, detail));
    if (text.length <= width) return text;
  }
  // An inherent method's brackets say nothing once its path is gone: `<Vec<..>>::reserve`.
  const inherent = /^<([\w$]+(?:<\.\.>)?)>(?=::)/.exec(text);
  if (inherent) text = inherent[1] + text.slice(inherent[0].length);
  if (text.length <= width) return text;
  for (const shorter of fewerSegments(text)) {
    text = shorter;
    if (text.length <= width) return text;
  }
  text = text.replace(/(?:::)?<\.\.>|\(\.\.\)/g, '');
  // `<Type…>::method`: the method whole, where that leaves room for the type.
  const method = /^<.+>(::[^<>]+)$/.exec(text)?.[1];
  const room = width - (method?.length ?? width) - 3;
  if (method && room >= 6) return `${text.slice(0, room + 1)}…>${method}`;
  return middle(text, width);
}

/**
 * A JavaScript name: its file loses folders from the left, `function …/lib/file.js:1:2`.
 * @param {string} name
 * @param {number} width
 */
function scriptName(name, width) {
  const match = /^(.*?)((?:[\w-]+:\/\/)?\/?[^\s]*\/[^\s]+)$/.exec(name);
  if (!match) return middle(name, width);
  const [, head, file] = match;
  const parts = file.split('/');
  for (let drop = 1; drop < parts.length; drop++) {
    const text = `${head}…/${parts.slice(drop).join('/')}`;
    if (text.length <= width) return text;
  }
  return middle(`${head}${parts[parts.length - 1]}`, width);
}

/**
 * @param {string} text
 * @param {number} width
 */
function middle(text, width) {
  if (text.length <= width) return text;
  if (width < 2) return '…'.slice(0, width);
  const head = Math.ceil((width - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}

/**
 * @param {string} name
 * @param {number} width in columns, at least 1
 * @param {string} [kind] of the function: 'js' names end in a file
 * @returns {string} at most width long
 */
function shorten(name, width, kind) {
  if (name.length <= width) return name;
  return kind === 'js' ? scriptName(name, width) : nativeName(name, width);
}

module.exports = { middle, shorten };
