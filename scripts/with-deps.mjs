// with-deps.mjs COMMAND [ARGS…]: installs packages if needed, then runs an installed command.
import { bin, install, run } from './setup.mjs';

const [command, ...args] = process.argv.slice(2);
await install();
process.exit(await run(bin(command), args));
