import { z } from 'zod';
import { parseDuration } from '../core/duration.ts';
import { FairleadError } from '../core/errors.ts';
import { compileTemplate } from '../core/template.ts';

/** What a field means beyond its JSON type: read by redaction, lint, the reference docs and the JSON Schema. */
export interface FieldKind {
  readonly kind: 'duration' | 'byteSize' | 'template' | 'secret';
}

/** Kinds by schema; `describe`, `optional`, `prefault` and the like keep them. */
export const fieldKinds: z.core.$ZodRegistry<FieldKind, z.core.$ZodType> = z.registry<FieldKind>();

/** The longest timer Node keeps: a longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const DURATION =
  /^(?:(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+|P(?=\d|T\d)(?:\d+(?:\.\d+)?D)?(?:T(?=\d)(?:\d+(?:\.\d+)?H)?(?:\d+(?:\.\d+)?M)?(?:\d+(?:\.\d+)?S)?)?)$/;
const DURATION_HINT = 'expected a duration such as "200ms", "5s", "2h" or "PT5S"';

/**
 * A duration as text (`200ms`, `5s`, `1h30m`, ISO-8601 `PT5S`), in milliseconds once parsed. A default is given as text:
 * `duration().prefault('5s')`. Bounds are in milliseconds; the upper one is 24 days where not given.
 */
export function duration(bounds: { minMs?: number; maxMs?: number } = {}): z.ZodType<number, string> {
  const { minMs = 0, maxMs = MAX_TIMER_MS } = bounds;
  const schema = z
    .string({ error: DURATION_HINT })
    .regex(DURATION, { error: DURATION_HINT })
    .transform((text, context) => {
      const ms = parseDuration(text);
      if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
      const range = `${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
      context.addIssue({
        code: 'custom',
        message: ms === undefined ? DURATION_HINT : `expected a duration of ${range}`,
      });
      return z.NEVER;
    });
  fieldKinds.add(schema, { kind: 'duration' });
  return schema;
}

/** The shortest exact text of a duration in milliseconds, e.g. `90000` → `90s`. */
export function formatDuration(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return ms > 86_400_000 ? `${Math.floor(ms / 86_400_000)}d` : `${ms}ms`;
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};
const SIZE = /^(\d+(?:\.\d+)?) ?(B|KB|MB|GB|KiB|MiB|GiB)?$/;
const SIZE_HINT = 'expected a size such as "64KiB", "1MiB", "500KB" or a number of bytes';

/** A size as text (`64KiB`, `1MiB`, `500KB`) or a number, in bytes once parsed. A default may be text: `byteSize().prefault('1MiB')`. */
export function byteSize(bounds: { min?: number; max?: number } = {}): z.ZodType<number, string | number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
  const schema = z
    .union(
      [z.int({ error: SIZE_HINT }).nonnegative({ error: SIZE_HINT }), z.string().regex(SIZE, { error: SIZE_HINT })],
      { error: SIZE_HINT },
    )
    .transform((size, context) => {
      const bytes = typeof size === 'number' ? size : parseSize(size);
      if (bytes >= min && bytes <= max) return bytes;
      context.addIssue({
        code: 'custom',
        message:
          max === Number.MAX_SAFE_INTEGER
            ? `expected a size of at least ${formatBytes(min)}`
            : `expected a size of ${formatBytes(min)} to ${formatBytes(max)}`,
      });
      return z.NEVER;
    });
  fieldKinds.add(schema, { kind: 'byteSize' });
  return schema;
}

function parseSize(text: string): number {
  const [, amount, unit = 'B'] = SIZE.exec(text) as RegExpExecArray;
  return Math.floor(Number(amount) * (UNITS[unit] as number));
}

/** The shortest exact text of a size in bytes, e.g. `65536` → `64KiB`. */
export function formatBytes(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB', 'GB', 'MB', 'KB'] as const) {
    const size = UNITS[unit] as number;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

/** Text with `{name}` and `{name:-default}` slots; compiled again where it is used (core/template.ts). */
export function template(): z.ZodType<string, string> {
  const schema = z.string().superRefine((text, context) => {
    try {
      compileTemplate(text);
    } catch (error) {
      if (!(error instanceof FairleadError)) throw error;
      context.addIssue({ code: 'custom', message: error.message, params: { code: error.code } });
    }
  });
  fieldKinds.add(schema, { kind: 'template' });
  return schema;
}

/** Text that is shown as `***` wherever configuration is printed, logged or served. */
export function secret(): z.ZodType<string, string> {
  const schema = z.string().min(1, { error: 'expected a secret that is not empty' });
  fieldKinds.add(schema, { kind: 'secret' });
  return schema;
}
