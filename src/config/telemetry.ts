import { z } from 'zod';
import { byteSize, duration } from '../adapters/fields.ts';
import type { Located } from './finding.ts';
import type { GatewayConfig, TelemetryConfig } from './types.ts';

/** The section `telemetry` as it stands in the file. */
export interface TelemetryFields {
  readonly path: string;
  readonly format: 'ndjson' | 'parquet';
  readonly maxFileBytes: number;
  readonly maxBytes: number;
  readonly sample: number;
  readonly rotate: number;
}

/** One file that is written, one that is made Parquet of it, and one to read. */
const LEAST_FILES = 3;

/** The section `telemetry`. */
export const telemetrySection: z.ZodType<TelemetryFields | undefined> = z
  .strictObject(
    {
      path: z.string().min(1).default('./.fairlead/telemetry').describe('Directory of the files.'),
      format: z
        .enum(['ndjson', 'parquet'])
        .default('ndjson')
        .describe('`ndjson` is lines of JSON; `parquet` turns each file into Parquet once it is complete.'),
      maxFileBytes: byteSize({ min: 2 ** 20 })
        .prefault('64MiB')
        .describe('Size at which a file is ended and the next begun.'),
      maxBytes: byteSize({ min: LEAST_FILES * 2 ** 20 })
        .prefault('1GiB')
        .describe('Most bytes of all files; the oldest are deleted, counted.'),
      sample: z
        .number()
        .gt(0)
        .max(1)
        .default(0.1)
        .describe(
          'Share of the successful sends that is recorded, with a weight that makes up for it. All others are.',
        ),
      rotate: duration({ minMs: 1_000 }).prefault('1h').describe('Age at which a file is ended and the next begun.'),
    },
    { error: 'expected telemetry as a map, e.g. telemetry: { path: ./telemetry }' },
  )
  .superRefine(({ maxFileBytes, maxBytes }, context) => {
    if (maxBytes >= LEAST_FILES * maxFileBytes) return;
    const message = `expected at least ${LEAST_FILES} times maxFileBytes: room for the file that is written and others`;
    context.addIssue({ code: 'custom', path: ['maxBytes'], message });
  })
  .optional();

/** The section as the rest of the program reads it. */
export function telemetryConfig({ rotate, ...fields }: TelemetryFields): TelemetryConfig {
  return { ...fields, rotateMs: rotate };
}

/** Records that nothing would make, or that nothing would be learned from. */
export function lintTelemetry({ telemetry, choices, models }: GatewayConfig): readonly Located[] {
  const warning = (code: string, path: readonly PropertyKey[], message: string, hint?: string): Located => ({
    severity: 'warning',
    code,
    path,
    at: 'key',
    message,
    hint,
  });
  if (telemetry !== undefined) {
    if (choices.length > 0) return [];
    return [warning('W_TELEMETRY_UNUSED', ['telemetry'], 'telemetry records decisions of choices, and there are none')];
  }
  return models
    .filter(({ retrain }) => retrain !== undefined)
    .map(({ name }) =>
      warning(
        'W_TELEMETRY_MISSING',
        ['models', name, 'retrain'],
        `models.${name}: there is no telemetry to train on`,
        'write telemetry: {}',
      ),
    );
}
