import { Worker } from 'node:worker_threads';
import type { LoadResult } from '../config/load.ts';
import { readConfigFile } from './load.ts';

/**
 * Loads and checks a configuration file in a thread of its own: that takes tens of milliseconds for a small file and seconds
 * for a large one, in which a gateway would take in and send nothing. Rejects when the thread fails. Run from TypeScript
 * sources it loads in this thread, since a thread of Node 20 has no loader for them.
 */
export async function loadAside(file: string): Promise<LoadResult> {
  if (import.meta.url.endsWith('.ts')) return readConfigFile(file);
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./load-worker.js', import.meta.url), { workerData: { file } });
    worker.unref(); // a process that ends does not wait for it
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the loading thread ended with ${code}`))); // after a message: no effect
  });
}
