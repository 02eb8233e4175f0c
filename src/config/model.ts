import { z } from 'zod';
import { duration } from '../adapters/fields.ts';
import { entryName } from './names.ts';
import type { ModelConfig } from './types.ts';

/** One entry of `models` as it stands in the file. */
export interface ModelFields {
  readonly path?: string | undefined;
  readonly sha256?: string | undefined;
  readonly registry?: string | undefined;
  readonly retrain?: { readonly every: number; readonly minRows: number } | undefined;
  readonly gate?: { readonly scenarios: number } | undefined;
}

/** One entry of `models`. */
export const modelSchema: z.ZodType<ModelFields> = z
  .strictObject(
    {
      path: z
        .string()
        .min(1, { error: 'expected the path of an ONNX file' })
        .optional()
        .describe('An ONNX file. Beside a `registry` it is what is used until one of its versions is in force.'),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, { error: 'expected the SHA-256 of the file, 64 hex digits in lower case' })
        .optional()
        .describe('What the file at `path` must hash to; another one is not used.'),
      registry: z
        .string()
        .min(1, { error: 'expected the path of a directory' })
        .optional()
        .describe(
          'Directory of models as `fairlead model` keeps them; the version in force of the model of this name is used.',
        ),
      retrain: z
        .strictObject(
          {
            every: duration({ minMs: 60_000 }).prefault('1h').describe('Interval between trainings.'),
            minRows: z
              .int()
              .min(100)
              .max(100_000_000)
              .default(10_000)
              .describe('Least number of recorded decisions to train on; with fewer a training is left out.'),
          },
          { error: 'expected when to train, e.g. { every: 1h, minRows: 10000 }' },
        )
        .optional()
        .describe('Trains a new version from the recorded decisions while the gateway runs.'),
      gate: z
        .strictObject(
          {
            scenarios: z
              .int()
              .min(0)
              .max(50)
              .default(3)
              .describe(
                'Simulated scenarios of each of twelve families that a new version decides before it passes, about 2 to 4 s of CPU each time; 0: none.',
              ),
          },
          { error: 'expected what is asked of a new version, e.g. { scenarios: 3 }' },
        )
        .optional()
        .describe('What a new version has to pass, beside better forecasts.'),
    },
    { error: 'expected a model, e.g. { path: ./models/latency.onnx }' },
  )
  .superRefine(({ path, sha256, registry, retrain, gate }, context) => {
    const tell = (field: string[], message: string): void =>
      context.addIssue({ code: 'custom', path: field, message, params: { at: 'key' } });
    if (path === undefined && registry === undefined) tell([], 'expected path, registry or both');
    if (sha256 !== undefined && path === undefined) tell(['sha256'], 'needs path: it is the hash of that file');
    if (retrain !== undefined && registry === undefined)
      tell(['retrain'], 'needs registry: new versions are kept there');
    if (gate !== undefined && retrain === undefined) tell(['gate'], 'needs retrain: it judges what is trained here');
  });

/** The section `models`. */
export const modelsSection: z.ZodType<Readonly<Record<string, ModelFields>>> = z
  .record(entryName(), modelSchema, {
    error: 'expected models by name, e.g. models: { latency: { path: ./models/latency.onnx } }',
  })
  .default({});

/** A model as the rest of the program reads it. */
export function modelConfig(name: string, { path, sha256, registry, retrain, gate }: ModelFields): ModelConfig {
  return {
    name,
    ...(path === undefined ? {} : { path }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(registry === undefined ? {} : { registry }),
    ...(retrain === undefined ? {} : { retrain: { everyMs: retrain.every, minRows: retrain.minRows } }),
    ...(gate === undefined ? {} : { gate }),
  };
}
