// A plugin in JavaScript on the hooks that are called most: twice for each import, once for each
// module, and once for all the assets. It writes what it saw to dist/census.json.

const { createHash } = require('node:crypto');

class CensusPlugin {
  constructor() {
    this.requests = 0;
    this.resolved = 0;
    this.modules = 0;
    /** @type {Map<string, number>} imports for each folder */
    this.folders = new Map();
  }

  /** @param {{ request: string, context: string }} data */
  countRequest({ context }) {
    this.requests += 1;
    const folder = context.split('/').slice(-2).join('/');
    this.folders.set(folder, (this.folders.get(folder) ?? 0) + 1);
  }

  /** @param {Record<string, { source(): string | Buffer }>} assets */
  digestAssets(assets) {
    return Object.fromEntries(
      Object.entries(assets)
        .map(([name, asset]) => [name, createHash('sha256').update(asset.source()).digest('hex')])
        .sort(),
    );
  }

  /** @param {import('@rspack/core').Compiler} compiler */
  apply(compiler) {
    const { Compilation, sources } = compiler.rspack;
    const name = 'CensusPlugin';
    compiler.hooks.normalModuleFactory.tap(name, (factory) => {
      factory.hooks.beforeResolve.tap(name, (data) => this.countRequest(data));
      factory.hooks.afterResolve.tap(name, () => {
        this.resolved += 1;
      });
    });
    compiler.hooks.compilation.tap(name, (compilation) => {
      compilation.hooks.succeedModule.tap(name, () => {
        this.modules += 1;
      });
      const stage = Compilation.PROCESS_ASSETS_STAGE_REPORT;
      compilation.hooks.processAssets.tap({ name, stage }, (assets) => {
        const { requests, resolved, modules } = this;
        const folders = Object.fromEntries([...this.folders].sort());
        const census = { requests, resolved, modules, folders, assets: this.digestAssets(assets) };
        const text = `${JSON.stringify(census, null, 2)}\n`;
        compilation.emitAsset('census.json', new sources.RawSource(text));
      });
    });
  }
}

module.exports = { CensusPlugin };
