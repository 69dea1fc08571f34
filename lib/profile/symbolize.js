'use strict';
// Names for the places of a profile that was recorded without symbols, from the file that has them: a
// copy of the same build that was not stripped. Only functions: what was inlined stays unknown.

const { ProfError } = require('../errors.js');
const { MODULE } = require('./flags.js');
const { KINDS } = require('./keys.js');
const { Profile } = require('./profile.js');
const { countedAgain } = require('./quality.js');

/** @typedef {import('./raw').NativeAddon} NativeAddon */

/** Its functions have a crate. */
const RUST = KINDS.indexOf('rust');

/**
 * @param {Profile} profile
 * @param {string} file with symbols
 * @param {Pick<NativeAddon, 'symbolize'>} native
 * @returns {{ profile: Profile, module: string, named: number, unnamed: number }} the same profile where
 *   there is nothing to name; module '' where it has no module of this build
 */
function symbolize(profile, file, native) {
  const { raw } = profile;
  const symbolizer = native.symbolize;
  if (!symbolizer)
    throw new ProfError('ERR_PROF_UNSUPPORTED_PLATFORM', 'this addon has no symbols');
  const { buildId, hasSymbols } = symbolizer(file, new Float64Array(0));
  if (!hasSymbols) {
    throw new ProfError(
      'ERR_PROF_BAD_FILE',
      `${file} has no symbols itself: name the file as it was before it was stripped`,
    );
  }
  const module = raw.modules.buildId.findIndex(
    (id) => buildId !== '' && raw.strings[id] === buildId,
  );
  if (module < 0) return { profile, module: '', named: 0, unnamed: 0 };
  const { funcs } = raw;
  const wanted = Array.from(funcs.named, (_, func) => func).filter(
    (func) => funcs.module[func] === module && !funcs.named[func] && funcs.address?.[func],
  );
  const addresses = Float64Array.from(wanted, (func) => /** @type {any} */ (funcs).address[func]);
  const { names } = symbolizer(file, addresses);

  const strings = [...raw.strings];
  const known = new Map(strings.map((text, at) => [text, at]));
  const intern = (/** @type {string} */ text) => {
    let at = known.get(text);
    if (at === undefined) known.set(text, (at = strings.push(text) - 1));
    return at;
  };
  const after = {
    ...funcs,
    name: funcs.name.slice(),
    symbol: funcs.symbol.slice(),
    crate: funcs.crate.slice(),
    kind: funcs.kind.slice(),
    named: funcs.named.slice(),
  };
  let named = 0;
  names.forEach((found, i) => {
    if (!found) return;
    const func = wanted[i];
    after.name[func] = intern(found.name);
    after.symbol[func] = intern(found.symbol);
    after.crate[func] = found.kind === RUST && found.crate ? intern(found.crate) : -1;
    after.kind[func] = found.kind;
    after.named[func] = 1;
    named++;
  });
  const flags = raw.modules.flags.slice();
  flags[module] |= MODULE.HAS_SYMBOLS;
  // Said of a binding without symbols.
  const warnings = raw.quality.warnings.filter(({ code }) => code !== 'stripped-binding');
  const own = { ...raw, strings, funcs: after, modules: { ...raw.modules, flags } };
  const quality = { ...countedAgain(own, raw.samples), warnings };
  const { markers, context, build, others } = profile;
  return {
    profile: new Profile({ ...own, quality }, { markers, context, build, others }),
    module: raw.strings[raw.modules.name[module]],
    named,
    unnamed: wanted.length - named,
  };
}

module.exports = { symbolize };
