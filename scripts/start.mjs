// npm start [-- ARGS…]: install, build, and run the demo.
import { bin, install, must, run } from './setup.mjs';

await install();
await must(bin('tsc'), ['-p', 'tsconfig.build.json']);
process.exit(await run(process.execPath, ['dist/main.js', 'demo', ...process.argv.slice(2)]));
