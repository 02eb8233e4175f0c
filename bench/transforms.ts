import { benchCore } from './core.ts';

/** One kind of transform on every route of the core bench, beside none, in one run. */
export interface TransformResult {
  readonly name: string;
  readonly events: number;
  readonly eventsPerCpuSecond: number;
  /** More CPU of the gateway's process than without a transform, in microseconds per event. */
  readonly addedCpuUs: number;
  readonly perSecond: number;
}

const CASES: readonly { readonly name: string; readonly share: number; readonly transform?: string }[] = [
  { name: 'none', share: 1 },
  { name: 'set, a constant', share: 1, transform: '{ set: { region: eu } }' },
  { name: 'set, a template over attributes', share: 1, transform: "{ set: { subject: '{type}/{partitionkey}' } }" },
  { name: 'set, a template over data', share: 1, transform: "{ set: { subject: 'n-{data.n}' } }" },
  { name: 'a field of data dropped', share: 1, transform: '{ data: { remove: [n] } }' },
  {
    name: 'jsonata',
    share: 0.1,
    transform: `{ data: { jsonata: '{ "n": n, "celsius": (n - 32) * 5 / 9, "hot": n > 90 }' } }`,
  },
];

/** Runs every case; a case with a smaller `share` has that part of the events. */
export async function benchTransforms(options: { events: number; rounds: number }): Promise<TransformResult[]> {
  const results: TransformResult[] = [];
  for (const { name, share, transform } of CASES) {
    const events = Math.ceil(options.events * share);
    const { rounds } = options;
    const { median, perSecond } = await benchCore({
      events,
      rounds,
      ...(transform === undefined ? {} : { transform }),
    });
    const base = results[0]?.eventsPerCpuSecond ?? median;
    results.push({ name, events, eventsPerCpuSecond: median, addedCpuUs: 1e6 / median - 1e6 / base, perSecond });
  }
  return results;
}
