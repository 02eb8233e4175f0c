// npm run demo:learn: the loop of learning, closed in one command; ends with 1 where it did not close.
import { DEMO, demoLearning } from './demo.ts';

const { closed } = await demoLearning(DEMO, (line) => process.stdout.write(`${line}\n`));
process.exit(closed ? 0 : 1);
