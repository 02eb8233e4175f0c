import type { Writable } from 'node:stream';

/**
 * Gathers what is written in one turn: amqplib writes each event, and each acknowledgement, by itself, which costs a system
 * call apiece. Nothing waits longer than to the end of the turn.
 */
export function corkPerTurn(stream: Writable): void {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  let corked = false;
  stream.write = (...args: unknown[]): boolean => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(() => {
        corked = false;
        stream.uncork();
      });
    }
    return write(...args);
  };
}
