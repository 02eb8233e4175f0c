// npm test [-- ARGS…]: install, build (the tests also start the built command), then every test; vitest's global setup starts the brokers.
import { bin, install, must, run } from './setup.mjs';

await install();
await must(bin('tsc'), ['-p', 'tsconfig.build.json']);
process.exit(await run(bin('vitest'), ['run', ...process.argv.slice(2)]));
