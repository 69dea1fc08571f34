// The same build as rspack.config.js, for those who start the profiler from an ES module.
import { start } from 'rspack-prof';

if (process.env.CASE_PROF) start(JSON.parse(process.env.CASE_PROF));

const { default: config } = await import('./rspack.config.js');

export default config;
