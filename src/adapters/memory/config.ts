import { z } from 'zod';

export const brokerSchema = z.strictObject({
  maxEvents: z.int().min(1).default(100_000).describe('Events a topic holds before targets are told to wait.'),
});

export const sourceSchema = z.strictObject({
  topic: z.string().min(1).describe('Topic to take events from; several sources on one topic compete.'),
  maxBatch: z.int().min(1).default(512).describe('Most events handed over at once.'),
});

export const targetSchema = z.strictObject({
  topic: z.string().min(1).describe('Topic to put events on.'),
});

export type BrokerConfig = z.infer<typeof brokerSchema>;
export type SourceConfig = z.infer<typeof sourceSchema>;
export type TargetConfig = z.infer<typeof targetSchema>;
