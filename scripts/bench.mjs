// npm run bench -- NAME [ARGS…]: install, compile (figures are taken on compiled code, as users run it), and measure.
import { compileBenches, install, root, run } from './setup.mjs';

await install();
await compileBenches();
process.exit(
  await run(process.execPath, ['--enable-source-maps', `${root}/build/bench/main.js`, ...process.argv.slice(2)]),
);
