import { existsSync } from 'node:fs';
import { deadLetterDirectory } from '../app.ts';
import { DeadLetterStore } from '../store/dead-letters.ts';
import { requireConfig } from './load.ts';

/** Which store a `dlq` command reads. */
export interface StoreOptions {
  readonly config: string;
  readonly store?: string;
}

/**
 * Reads the dead letters of a store as they are at this moment; a gateway may be writing to it. `use` is given undefined
 * where there is no store yet.
 */
export async function readingStore<T>(
  options: StoreOptions,
  use: (store: DeadLetterStore | undefined, directory: string) => Promise<T>,
): Promise<T> {
  const directory = deadLetterDirectory(options.store ?? requireConfig(options.config).store.path);
  if (!existsSync(directory)) return use(undefined, directory);
  const store = await DeadLetterStore.openReadOnly(directory);
  try {
    return await use(store, directory);
  } finally {
    await store.close();
  }
}

/** `{ topic: 'a', partition: 3 }` → `topic=a partition=3`. */
export function positionText(position: Readonly<Record<string, string | number>>): string {
  return Object.entries(position)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
