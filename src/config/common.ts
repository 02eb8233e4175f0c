import { z } from 'zod';
import { byteSize, duration, template } from '../adapters/fields.ts';
import type { CommonSourceConfig, CommonTargetConfig } from '../adapters/spec.ts';
import { type SourceClaimFields, sourceClaimCheck, type TargetClaimFields, targetClaimCheck } from './claim-check.ts';
import { nameList, notYet, reference } from './names.ts';
import type { Bounds } from './types.ts';

/** Fields that every source has, whatever its adapter. */
export interface SourceFields extends CommonSourceConfig {
  readonly broker: string;
  readonly order: 'key' | 'none';
  readonly window: Bounds;
  readonly claimCheck?: SourceClaimFields | undefined;
}

/** Fields that every target has, whatever its adapter. */
export interface TargetFields extends CommonTargetConfig {
  readonly broker: string;
  readonly labels: Readonly<Record<string, string | number | boolean>>;
  readonly cost?: number | undefined;
  readonly capacity?: { readonly perSecond?: number | undefined; readonly concurrent?: number | undefined } | undefined;
  readonly floor?: number | undefined;
  readonly policies: readonly string[];
  readonly batch?: { readonly maxEvents?: number | undefined; readonly maxBytes?: number | undefined } | undefined;
  readonly concurrency?: number | undefined;
  readonly lane: Bounds;
  readonly claimCheck?: TargetClaimFields | undefined;
}

const bounds = (): z.ZodObject<{
  maxEvents: z.ZodDefault<z.ZodInt>;
  maxBytes: z.ZodPrefault<z.ZodType<number, string | number>>;
}> =>
  z.strictObject({
    maxEvents: z.int().min(1).default(10_000).describe('Most events.'),
    maxBytes: byteSize({ min: 1024 }).prefault('16MiB').describe('Most bytes, approximately.'),
  });

const wrap = z.strictObject({
  type: template().describe('Template of the `type`.'),
  source: template().describe('Template of the `source`.'),
  subject: template().optional().describe('Template of the `subject`.'),
  id: template().optional().describe('Template of the `id`; by default made from the position at the broker.'),
  time: template().optional().describe('Template of the `time` (RFC 3339).'),
  datacontenttype: template().optional().describe('Template of the `datacontenttype`, where the broker names none.'),
});

/** Every source's own fields stand beside these. */
export const sourceFields: z.ZodType<SourceFields> & { readonly shape: z.core.$ZodShape } = z.strictObject({
  broker: reference().describe('The broker it subscribes at.'),
  as: wrap
    .optional()
    .describe(
      'How events that are not CloudEvents become such: templates over the variables of the adapter. The data is left as it is.',
    ),
  order: z
    .enum(['key', 'none'])
    .default('key')
    .describe('`key` forwards deliveries with the same key in order; `none` gives that up for speed.'),
  maxEventBytes: byteSize({ min: 1 }).prefault('1MiB').describe('Largest event taken; a larger one is dead-lettered.'),
  window: bounds()
    .prefault({})
    .describe('Bounds of the deliveries that are not settled yet; at either one the source is paused.'),
  claimCheck: sourceClaimCheck,
});

/** Every target's own fields stand beside these. */
export const targetFields: z.ZodType<TargetFields> & { readonly shape: z.core.$ZodShape } = z.strictObject({
  broker: reference().describe('The broker it sends to.'),
  encoding: z
    .enum(['binary', 'structured', 'raw'])
    .optional()
    .describe(
      'Content mode: attributes beside the data, one JSON document, or the data alone. Default: structured on MQTT and SQS, binary over HTTP, elsewhere the mode the event came in.',
    ),
  headers: z
    .enum(['pass', 'drop'])
    .default('pass')
    .describe('What becomes of native headers that are not attributes. What cannot be carried is counted.'),
  labels: z
    .record(
      z.string(),
      z.union([z.string(), z.number(), z.boolean()], { error: 'expected text, a number or a boolean' }),
    )
    .default({})
    .describe('Free labels, e.g. `region`, which `require` of choices asks for.'),
  cost: z
    .number()
    .min(0)
    .max(1e9)
    .optional()
    .describe(
      'Cost of one event, in units of your choosing, for choices. Default: the label `cost` where it is a number, else 0.',
    ),
  capacity: z
    .strictObject(
      {
        perSecond: z.number().positive().max(1e9).optional().describe('Events per second.'),
        concurrent: z.number().positive().max(1e9).optional().describe('Events under way at once.'),
      },
      { error: 'expected a capacity, e.g. { perSecond: 500 } or { concurrent: 32 }' },
    )
    .refine(({ perSecond, concurrent }) => perSecond !== undefined || concurrent !== undefined, {
      error: 'expected perSecond, concurrent or both',
    })
    .optional()
    .describe('What the target can take, of all gateways together, for choices. Without it choices infer it.'),
  floor: duration({ minMs: 1 })
    .optional()
    .describe('Its latency without load, for choices. Without it choices take the least they have seen of late.'),
  policies: nameList('policies', 0).default([]).describe('Policies by name; later ones override earlier ones.'),
  batch: z
    .strictObject({
      maxEvents: z.int().min(1).max(10_000).optional().describe('Most events in one send.'),
      maxBytes: byteSize({ min: 1024 }).optional().describe('Most bytes in one send, approximately.'),
    })
    .optional()
    .describe("Bounds of one send, instead of the adapter's."),
  concurrency: z.int().min(1).max(1_000).optional().describe("Sends under way at once, instead of the adapter's."),
  lane: bounds()
    .prefault({})
    .describe('Bounds of the queue in front of this target; at either one its sources are paused.'),
  claimCheck: targetClaimCheck,
  buffer: notYet('disk buffers are'),
});
