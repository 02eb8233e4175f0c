// npm run test:faults -- NAME [ARGS…]: install, compile, and run a fault case against real brokers.
import { compileBenches, install, root, run } from './setup.mjs';

await install();
await compileBenches();
process.exit(
  await run(process.execPath, ['--enable-source-maps', `${root}/build/test/faults/main.js`, ...process.argv.slice(2)]),
);
