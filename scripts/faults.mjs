// npm run test:faults -- NAME [ARGS…]: install, compile, and run a fault case against real brokers.
import { bin, install, must, root, run } from './setup.mjs';

await install();
await must(bin('tsc'), ['-p', 'tsconfig.build.json']);
await must(bin('tsc'), ['-p', 'tsconfig.bench.json']);
process.exit(await run(process.execPath, ['--enable-source-maps', `${root}/build/test/faults/main.js`, ...process.argv.slice(2)]));
