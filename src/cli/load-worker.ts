import { parentPort, workerData } from 'node:worker_threads';
import { readConfigFile } from './load.ts';

/** The thread of {@link loadAside}: loads one configuration and ends. */
const { file } = workerData as { readonly file: string };
const { config, findings, files } = readConfigFile(file);
parentPort?.postMessage({ config, findings, files });
