import type { MeshEvent } from '../../src/core/event.ts';
import { TransformFailure, type TransformStep } from '../../src/core/transform.ts';
import { applyTransform, compileTransform } from '../../src/transform/compile.ts';
import type { JsonataEvaluator } from '../../src/transform/jsonata/program.ts';
import { identity, jsonEvent } from '../setup/events.ts';

/** For steps that have no expression. */
export const NO_JSONATA: JsonataEvaluator = {
  evaluate: () => Promise.reject(new Error('no expression was expected')),
};

/** An event with the given JSON text as data. */
export function withData(json: string, over: Parameters<typeof jsonEvent>[1] = {}): MeshEvent {
  return jsonEvent(1, { id: 'one', data: Buffer.from(json), ...over });
}

/** The events that steps make of an event, or the code of their failure. */
export async function run(event: MeshEvent, ...steps: TransformStep[]): Promise<readonly MeshEvent[] | string> {
  const result = await applyTransform(compileTransform(steps, NO_JSONATA), event);
  return result instanceof TransformFailure ? result.code : result;
}

/** The one event that steps make of an event. */
export async function one(event: MeshEvent, ...steps: TransformStep[]): Promise<MeshEvent> {
  const result = await run(event, ...steps);
  if (typeof result === 'string' || result.length !== 1) throw new Error(`not one event: ${String(result)}`);
  return result[0] as MeshEvent;
}

/** The data that a step on data makes of JSON text. */
export async function data(json: string, ...steps: NonNullable<TransformStep['data']>[]): Promise<string> {
  const event = await one(withData(json), ...steps.map((step) => ({ data: step })));
  return (event.data as Buffer).toString();
}

/** What differs between two events, by attribute; data as text. */
export function changes(before: MeshEvent, after: MeshEvent): Record<string, unknown> {
  const [old, now] = [before, after].map((event) => ({ ...identity(event), $data: event.data?.toString() }));
  const names = new Set([...Object.keys(old as object), ...Object.keys(now as object)]);
  const value = (from: unknown, name: string): unknown => (from as Record<string, unknown>)[name];
  return Object.fromEntries(
    [...names].filter((name) => value(old, name) !== value(now, name)).map((name) => [name, value(now, name)]),
  );
}
