import { rmSync, writeFileSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

const EVERY_MS = 5_000;

/**
 * Writes the time to a file every five seconds while the process gets its turn: a health check looks at the file's age. It asks
 * no broker, so that an outage elsewhere gets no gateway restarted. The returned function stops and removes the file.
 */
export function startHeartbeat(file: string, log: Log): () => void {
  const beat = (): void => {
    try {
      writeFileSync(file, `${new Date().toISOString()}\n`);
    } catch (error) {
      log.warn({ file, error: messageOf(error) }, 'the heartbeat cannot be written');
    }
  };
  beat();
  const timer = setInterval(beat, EVERY_MS);
  return () => {
    clearInterval(timer);
    rmSync(file, { force: true });
  };
}
