const path = require('node:path');
const { rspack } = require('@rspack/core');

/** @type {import('@rspack/core').Configuration} */
module.exports = {
  mode: 'production',
  context: __dirname,
  entry: './src/index.jsx',
  // Named here, for the default is below the folder in which rspack was started.
  output: { path: path.join(__dirname, 'dist'), clean: true },
  target: ['web', 'es2020'],
  resolve: { extensions: ['.js', '.jsx'] },
  module: {
    rules: [
      {
        test: /\.jsx?$/,
        exclude: /[\\/]node_modules[\\/]/,
        loader: 'builtin:swc-loader',
        options: {
          jsc: {
            parser: { syntax: 'ecmascript', jsx: true },
            transform: { react: { runtime: 'automatic' } },
          },
          env: { targets: 'chrome >= 80' },
        },
      },
      { test: /\.css$/, type: 'css' },
    ],
  },
  plugins: [new rspack.HtmlRspackPlugin({ template: './index.html' })],
  optimization: { minimize: true },
  performance: { hints: false },
};
