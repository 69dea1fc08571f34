const path = require('node:path');
const { rspack } = require('@rspack/core');
const { CensusPlugin } = require('./census-plugin.js');

/** @type {import('@rspack/core').Configuration} */
module.exports = {
  mode: 'production',
  context: __dirname,
  entry: './src/index.jsx',
  output: { path: path.join(__dirname, 'dist'), clean: true },
  target: ['web', 'es2020'],
  resolve: { extensions: ['.js', '.jsx'] },
  module: {
    rules: [
      {
        test: /\.jsx?$/,
        exclude: /[\\/]node_modules[\\/]/,
        use: [
          {
            loader: 'builtin:swc-loader',
            options: {
              jsc: {
                parser: { syntax: 'ecmascript', jsx: true },
                transform: { react: { runtime: 'automatic' } },
              },
              env: { targets: 'chrome >= 80' },
            },
          },
          { loader: path.join(__dirname, 'outline-loader.js') },
        ],
      },
      { test: /\.css$/, type: 'css' },
    ],
  },
  plugins: [new rspack.HtmlRspackPlugin({ template: './index.html' }), new CensusPlugin()],
  optimization: { minimize: true },
  performance: { hints: false },
};
