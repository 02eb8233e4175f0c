import { z } from 'zod';
import { duration, template } from '../adapters/fields.ts';
import { type CostWeights, SELECTORS, type SelectorName } from '../core/selector.ts';
import { entryName, reference } from './names.ts';
import type { ChoiceConfig } from './types.ts';

type Value = string | number | boolean;

/** One candidate, with what holds only within this choice. */
interface CandidateFields {
  readonly target: string;
  readonly weight?: number | undefined;
}

/** One entry of `choices` as it stands in the file. */
export interface ChoiceFields {
  readonly targets: readonly (string | CandidateFields)[];
  readonly by: SelectorName;
  readonly require: Readonly<Record<string, Value | readonly Value[]>>;
  readonly slo: number;
  readonly weights?: CostWeights | undefined;
  readonly explore?: number | undefined;
  readonly model?: string | undefined;
  readonly mode?: ChoiceConfig['mode'] | undefined;
  readonly canary?: number | undefined;
  readonly onUnknown: ChoiceConfig['onUnknown'];
}

/** What weighs costs, and so has weights and explores. */
export const WEIGHING: readonly SelectorName[] = ['adaptive', 'predictive'];

/** What gives targets shares by their weights. */
export const SHARING: readonly SelectorName[] = ['weighted', 'least-inflight', 'p2c-least-inflight'];

/** The part of the events that a canary decides, where none is said. */
const DEFAULT_CANARY = 0.05;
const SHARE_HINT = 'expected a share above 0 and below 1, e.g. 5% or 0.05';

const candidate = z.union(
  [
    reference(),
    z.strictObject({
      target: reference().describe('Name of the target.'),
      weight: z.number().min(0).max(1e6).optional().meta({
        description: 'Share relative to the others, for `weighted`, `least-inflight` and `p2c-least-inflight`.',
        default: 1,
      }),
    }),
  ],
  {
    // A map has findings of its own, within it.
    error: ({ input }) =>
      typeof input === 'object' ? undefined : 'expected the name of a target, or { target: name, weight: 2 }',
  },
);

const requirement = z.union(
  [
    template(),
    z.number(),
    z.boolean(),
    z
      .array(z.union([template(), z.number(), z.boolean()], { error: 'expected text, a number or a boolean' }))
      .min(1, { error: 'expected at least one value' }),
  ],
  { error: 'expected a value, a template over attributes such as "{region}", or a list of them' },
);

const share: z.ZodType<number, string | number> = z
  .union([z.number({ error: SHARE_HINT }), z.string().regex(/^\d+(?:\.\d+)?%$/, { error: SHARE_HINT })], {
    error: SHARE_HINT,
  })
  .transform((value, context) => {
    const part = typeof value === 'number' ? value : Number(value.slice(0, -1)) / 100;
    if (part > 0 && part < 1) return part;
    context.addIssue({ code: 'custom', message: SHARE_HINT });
    return z.NEVER;
  });

const weight = (what: string, fallback: number): z.ZodType<number | undefined> =>
  z.number().min(0).max(1e6).optional().meta({ description: what, default: fallback });

const weights: z.ZodType<CostWeights> = z.strictObject({
  latency: weight('Expected latency, in units of the `slo`.', 1),
  slo: weight('Probability that the `slo` is missed.', 0.1),
  failure: weight('Probability of a failure, at the timeout in units of the `slo`.', 1),
  cost: weight('Cost of the target.', 1),
  congestion: weight('What the event adds to the load of the target.', 1),
});

/** One entry of `choices`. */
export const choiceSchema: z.ZodType<ChoiceFields> = z
  .strictObject(
    {
      targets: z
        .array(candidate, { error: 'expected a list of targets, e.g. [eu-readings, us-readings]' })
        .min(1, { error: 'expected at least one target' })
        .max(64)
        .superRefine(noneTwice)
        .describe('The candidates, by name or as `{ target: name, weight: 2 }`. Their order matters to `priority`.'),
      by: z.enum(SELECTORS).describe('What chooses among the candidates. See docs/guide/choices.md.'),
      require: z
        .record(z.string(), requirement)
        .default({})
        .describe(
          'Labels that a candidate must have for the event, with the value, or one of a list; a value may be a template over attributes. Compared as text. Nothing overrides it.',
        ),
      slo: duration({ minMs: 1 })
        .prefault('100ms')
        .describe('Latency that should not be exceeded; for `priority`, `adaptive` and `predictive`.'),
      weights: weights
        .optional()
        .describe('Weights of the parts of the expected cost; for `adaptive` and `predictive`.'),
      explore: z.number().min(0).max(0.1).optional().meta({
        description:
          'Least share of the events that each candidate is given, to learn of it; for `adaptive` and `predictive`.',
        default: 0.005,
      }),
      model: reference().optional().describe('Name of the model, for `predictive`. Default: the only one in `models`.'),
      mode: z.enum(['off', 'shadow', 'canary', 'active']).optional().meta({
        description:
          'Whether the model decides, for `predictive`: `off` leaves it out, `shadow` scores and records but the analytic policy decides, `canary` lets it decide for a share of the events.',
        default: 'active',
      }),
      canary: share
        .optional()
        .meta({ description: 'The share of the events that the model decides in `mode: canary`.', default: '5%' }),
      onUnknown: z
        .enum(['wait', 'reselect'])
        .default('reselect')
        .describe(
          'When nobody knows whether a send arrived: `wait` sends again to the same target only, `reselect` may take another, so that an event may arrive at two.',
        ),
    },
    { error: 'expected a choice, e.g. { targets: [eu-readings, us-readings], by: adaptive }' },
  )
  .superRefine((fields, context) => {
    const tell = (field: string, message: string, hint?: string): void =>
      context.addIssue({
        code: 'custom',
        path: [field],
        message,
        params: { code: 'E_CONFIG_CHOICE', at: 'key', ...(hint === undefined ? {} : { hint }) },
      });
    if (fields.by !== 'predictive') {
      for (const field of ['mode', 'model', 'canary'] as const)
        if (fields[field] !== undefined)
          tell(field, `only by: predictive has a ${field}, this is by: ${fields.by}`, 'write by: predictive');
    }
    if (fields.by === 'weighted' && fields.targets.every((one) => typeof one === 'object' && one.weight === 0))
      tell('targets', 'all weights are 0, so no target would ever be chosen');
    const { latency = 1, slo = 0.1, failure = 1, cost = 1, congestion = 1 } = fields.weights ?? {};
    if (latency + slo + failure + cost + congestion === 0)
      tell('weights', 'all weights are 0, so nothing would be weighed');
  });

/** The names of the candidates. */
export function candidateName(entry: string | CandidateFields): string {
  return typeof entry === 'string' ? entry : entry.target;
}

/** A choice as the rest of the program reads it. `only` is the model where there is but one. */
export function choiceConfig(name: string, fields: ChoiceFields, only: string | undefined): ChoiceConfig {
  const { targets, by, require, slo, weights: said = {}, explore = 0.005, onUnknown } = fields;
  const { model = only, mode = 'active', canary = DEFAULT_CANARY } = fields;
  const predictive = by === 'predictive';
  return {
    name,
    targets: targets.map((entry) =>
      typeof entry === 'object' && entry.weight !== undefined
        ? { target: entry.target, weight: entry.weight }
        : { target: candidateName(entry) },
    ),
    by,
    require: Object.fromEntries(
      Object.entries(require).map(([label, value]) => [label, (Array.isArray(value) ? value : [value]).map(String)]),
    ),
    sloMs: slo,
    weights: said,
    explore,
    ...(predictive && model !== undefined ? { model } : {}),
    mode: predictive ? mode : 'off',
    canary,
    onUnknown,
  };
}

/** The section `choices`. */
export const choicesSection: z.ZodType<Readonly<Record<string, ChoiceFields>>> = z
  .record(entryName(), choiceSchema, {
    error: 'expected choices by name, e.g. choices: { archive: { targets: [eu, us], by: adaptive } }',
  })
  .default({});

function noneTwice(
  targets: readonly (string | CandidateFields)[],
  context: z.core.$RefinementCtx<(string | CandidateFields)[]>,
): void {
  const names = targets.map(candidateName);
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue;
    context.addIssue({ code: 'custom', path: [index], message: `"${name}" stands in the list a second time` });
  }
}
