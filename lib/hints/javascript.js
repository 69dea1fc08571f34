'use strict';
// Hints about JavaScript: packages for which rspack has something builtin, garbage collection, compilation.

const { isOwn } = require('./evidence.js');

/** @typedef {import('./index').Rule} Rule */

/**
 * npm packages, and what rspack 2 brings along for the same.
 * @type {{code: string, packages: RegExp, name: string, builtin: string, but?: string}[]}
 */
const BUILTIN = [
  {
    code: 'babel-loader',
    packages: /^(babel-loader|@babel\/.*|babel-plugin-.*|babel-preset-.*)$/,
    name: 'Babel (babel-loader)',
    builtin: 'builtin:swc-loader',
    but: 'Babel plugins of your own have no place in it; many builds gave only the files that need those to Babel',
  },
  {
    code: 'ts-loader',
    packages: /^(ts-loader|typescript|fork-ts-checker-webpack-plugin)$/,
    name: 'TypeScript (ts-loader)',
    builtin: 'builtin:swc-loader',
    but: 'it checks no types: that was moved to ts-checker-rspack-plugin or to tsc in CI',
  },
  {
    code: 'esbuild-loader',
    packages: /^esbuild-loader$/,
    name: 'esbuild-loader',
    builtin: 'builtin:swc-loader',
  },
  {
    code: 'css-minimizer',
    packages: /^(css-minimizer-webpack-plugin|cssnano|cssnano-.*|csso|clean-css)$/,
    name: 'a CSS minimizer in JavaScript',
    builtin: 'LightningCssMinimizerRspackPlugin',
  },
  {
    code: 'js-minimizer',
    packages: /^(terser-webpack-plugin|terser|uglify-js|uglifyjs-webpack-plugin)$/,
    name: 'a JavaScript minimizer in JavaScript',
    builtin: 'SwcJsMinimizerRspackPlugin',
  },
  {
    code: 'autoprefixer',
    packages: /^(autoprefixer|postcss-preset-env)$/,
    name: 'autoprefixer',
    builtin: 'builtin:lightningcss-loader',
  },
  {
    code: 'html-plugin',
    packages: /^html-webpack-plugin$/,
    name: 'html-webpack-plugin',
    builtin: 'HtmlRspackPlugin',
  },
  {
    code: 'copy-plugin',
    packages: /^copy-webpack-plugin$/,
    name: 'copy-webpack-plugin',
    builtin: 'CopyRspackPlugin',
  },
  {
    code: 'css-extract',
    packages: /^mini-css-extract-plugin$/,
    name: 'mini-css-extract-plugin',
    builtin: 'CssExtractRspackPlugin',
  },
];

/** V8 works for the JavaScript above it. @param {import('./evidence').Func} func */
const isScript = (func) => func.kind === 'js' && isOwn(func);

/** @type {Rule[]} */
const RULES = [
  ...BUILTIN.map(
    /** @returns {Rule} */ ({ code, packages, name: tool, builtin, but }) => ({
      code,
      find(evidence) {
        const isOf = (/** @type {import('./evidence').Func} */ { package: name }) =>
          name !== '' && packages.test(name);
        return evidence.through(isOf, { place: isOf, own: true });
      },
      what: `in ${tool} and what it called`,
      did: `rspack has ${builtin} for the same${but ? `: ${but}` : ''}`,
    }),
  ),
  {
    code: 'gc',
    find: (evidence) => evidence.inCategory('GC', isScript),
    what: "in V8's garbage collection",
    did: 'what was done elsewhere: a larger young generation (NODE_OPTIONS=--max-semi-space-size=64), fewer and smaller objects in the functions named',
  },
  {
    code: 'compile',
    find: (evidence) => evidence.inCategory('JIT compilation', isScript),
    what: 'compiling JavaScript (parsing, bytecode, optimizing)',
    did: "what was done elsewhere: node's compile cache (NODE_COMPILE_CACHE=FOLDER, node 22.1 and later) keeps the code of modules from run to run; fewer modules loaded by the configuration",
  },
];

module.exports = { RULES };
