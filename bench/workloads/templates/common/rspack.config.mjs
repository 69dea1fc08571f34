// The same build as rspack.config.js, for those whose configuration is an ES module.
if (process.env.CASE_PROF) {
  const { start } = await import('rspack-prof');
  start(JSON.parse(process.env.CASE_PROF));
}

const { default: config } = await import('./build.config.js');

export default config;
