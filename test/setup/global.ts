import { startBrokers } from '../brokers/index.mjs';

/** Starts the brokers whose URL the environment does not give, once for the whole run; stops them by pid at the end. */
export default async function setup(): Promise<() => Promise<void>> {
  const brokers = await startBrokers({ log: (line) => process.stderr.write(`${line}\n`) });
  Object.assign(process.env, brokers.env);
  return () => brokers.stop();
}
