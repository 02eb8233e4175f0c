import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { Log } from '../../../src/core/log.ts';
import { silentLog } from '../../../src/core/log.ts';
import { TransformFailure } from '../../../src/core/transform.ts';
import { JsonataPool } from '../../../src/transform/jsonata/pool.ts';
import { type JsonataProgram, jsonataProgram } from '../../../src/transform/jsonata/program.ts';

export const BOUNDS = { timeoutMs: 20_000, maxBytes: 100_000 };

/** A pool of real worker processes that ends with the test. */
export function startPool(log: Log = silentLog): JsonataPool {
  const pool = new JsonataPool({ clock: systemClock, random: Math.random, log });
  onTestFinished(() => pool.close());
  return pool;
}

export function program(expression: string, bounds: Partial<typeof BOUNDS> = {}): JsonataProgram {
  return jsonataProgram(expression, { ...BOUNDS, ...bounds });
}

/** The results as texts: JSON, or the code of a failure. */
export async function results(pool: JsonataPool, what: JsonataProgram, inputs: readonly unknown[]): Promise<string[]> {
  const given = inputs.map((input) => ({ data: Buffer.from(JSON.stringify(input)), event: '' }));
  const found = await pool.evaluate(what, given);
  return found.map((result) => (result instanceof TransformFailure ? result.code : result.toString()));
}
