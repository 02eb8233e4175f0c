// npm run demo:learn: install, compile, and close the loop of learning: traffic, drift, alarm, retraining, gate, canary, promotion.
import { compileBenches, install, root, run } from './setup.mjs';

await install();
await compileBenches();
process.exit(await run(process.execPath, ['--enable-source-maps', `${root}/build/bench/learning/main.js`]));
