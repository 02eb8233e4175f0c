// Writes one Parquet file and ends, so that the gateway's event loop is not held up. See parquet-converter.ts.

import { setPriority } from 'node:os';
import { messageOf } from '../core/errors.ts';
import { convertToParquet } from './parquet-write.ts';

// Ctrl-C reaches the whole group; the gateway waits for what is under way.
process.on('SIGINT', () => undefined);
process.once('message', (file: string) => void work(file));

async function work(file: string): Promise<void> {
  try {
    setPriority(10);
  } catch {
    // not allowed here: only a courtesy to the gateway beside it
  }
  let error: string | undefined;
  try {
    await convertToParquet(file);
  } catch (cause) {
    error = messageOf(cause);
  }
  process.send?.({ error }, undefined, undefined, () => process.disconnect());
}
