import { randomUUID } from 'node:crypto';

/** A name that no other test, and no earlier run on the same broker, has. */
export function unique(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}
