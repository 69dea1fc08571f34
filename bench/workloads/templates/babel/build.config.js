const path = require('node:path');
const { rspack } = require('@rspack/core');

/** @type {import('@rspack/core').Configuration} */
module.exports = {
  mode: 'production',
  context: __dirname,
  entry: './src/index.jsx',
  output: { path: path.join(__dirname, 'dist'), clean: true },
  target: ['web', 'es2017'],
  resolve: { extensions: ['.js', '.jsx'] },
  module: {
    rules: [
      {
        test: /\.jsx?$/,
        exclude: /[\\/]node_modules[\\/]/,
        loader: 'babel-loader',
        options: {
          babelrc: false,
          configFile: false,
          cacheDirectory: false,
          presets: [
            // Targets as an object: with a browserslist query, a warning comes when the data in
            // node_modules is over half a year old.
            [
              require.resolve('@babel/preset-env'),
              { targets: { chrome: '60' }, ignoreBrowserslistConfig: true, modules: false },
            ],
            [require.resolve('@babel/preset-react'), { runtime: 'automatic' }],
          ],
        },
      },
      { test: /\.css$/, type: 'css' },
    ],
  },
  plugins: [new rspack.HtmlRspackPlugin({ template: './index.html' })],
  optimization: { minimize: true },
  performance: { hints: false },
};
