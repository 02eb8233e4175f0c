import { z } from 'zod';
import { parseTimestamp } from '../core/timestamp.ts';
import type { RouteConfig } from './types.ts';

/** A time window as it stands in the file. */
export interface ActiveFields {
  from?: string | undefined;
  to?: string | undefined;
}

const HINT = 'expected an RFC 3339 timestamp with its offset, e.g. 2026-08-01T06:00:00Z or 2026-08-01T08:00:00+02:00';

/** A moment, as text. */
export function timestamp(): z.ZodType<string, string> {
  return z.string({ error: HINT }).refine((text) => parseTimestamp(text) !== undefined, { error: HINT });
}

export const activeSchema: z.ZodType<ActiveFields | undefined> = z
  .strictObject(
    {
      from: timestamp().optional().describe('The first moment inside; without it the window has always been open.'),
      to: timestamp().optional().describe('The first moment after; without it the window stays open.'),
    },
    { error: 'expected a window, e.g. { from: 2026-08-01T06:00:00Z, to: 2026-09-01T06:00:00Z }' },
  )
  .refine(({ from, to }) => from !== undefined || to !== undefined, { error: 'expected from, to or both' })
  .refine(({ from, to }) => from === undefined || to === undefined || before(from, to), {
    error: 'is not after from: the window would never be open',
    path: ['to'],
  })
  .optional()
  .describe('When the route takes events, by the clock of the gateway; outside it matches none.');

export const sampleSchema: z.ZodType<number | undefined> = z
  .number()
  .gt(0)
  .max(1)
  .optional()
  .describe(
    'The part of the matching events that is taken, e.g. `0.01`: the same ones on every replica, by `source` and `id`.',
  );

/** The window in milliseconds. */
export function activeWindow({ from, to }: ActiveFields): NonNullable<RouteConfig['active']> {
  return {
    ...(from === undefined ? {} : { fromMs: parseTimestamp(from) as number }),
    ...(to === undefined ? {} : { toMs: parseTimestamp(to) as number }),
  };
}

/** True where a text is none of both: it has a finding of its own. */
function before(from: string, to: string): boolean {
  const start = parseTimestamp(from);
  const end = parseTimestamp(to);
  return start === undefined || end === undefined || start < end;
}
