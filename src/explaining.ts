import type { AdapterSpec } from './adapters/spec.ts';
import { encodeJson } from './cloudevents/json.ts';
import type { Environment } from './components.ts';
import { unwrap } from './config/inspect.ts';
import { redactUrl } from './config/redact.ts';
import type { ChoiceConfig, GatewayConfig, TargetConfig } from './config/types.ts';
import type { MeshEvent } from './core/event.ts';
import type { SelectorName } from './core/selector.ts';
import { compileTemplate, type Template } from './core/template.ts';
import type { Deciding } from './deciding.ts';
import type { NextDecision } from './next-decision.ts';
import { type EventOutcome, type LegOutcome, Outcomes } from './outcomes.ts';
import { attributeText } from './router/attribute.ts';

/** One leg that an event would get. */
export interface PlannedLeg extends Omit<LegOutcome, 'event' | 'candidates'> {
  /** The adapter's type, or `choice`. */
  readonly kind: string;
  /** Of a choice: its selector. */
  readonly by?: SelectorName;
  /** Of a choice: its targets in their order. */
  readonly candidates?: readonly PlannedCandidate[];
  /** Of a choice, where it was asked for: which of them would get it, and why. */
  readonly decision?: NextDecision;
  /** Where the target would put it, e.g. `{ topic: 'readings', key: '/plant/7' }`; null where an attribute is missing. */
  readonly address?: Readonly<Record<string, string | null>>;
  /** What would be sent, in the JSON format, where a transform has changed it. */
  readonly event?: unknown;
}

/** One target of a choice. */
export interface PlannedCandidate {
  readonly target: string;
  readonly kind: string;
  /** Whether the event may go there: its labels fulfil `require`. */
  readonly eligible: boolean;
  /** Why it may not. */
  readonly refusal?: NonNullable<LegOutcome['candidates']>[number]['refusal'];
  readonly address?: Readonly<Record<string, string | null>>;
}

/** What would become of an event from a source, and why: plain JSON. */
export interface Explanation extends Omit<EventOutcome, 'legs'> {
  readonly source: string;
  readonly event: { readonly id: string; readonly source: string; readonly type: string };
  readonly legs: readonly PlannedLeg[];
}

type Address = (event: MeshEvent) => PlannedLeg['address'];

/** Explains what a configuration does with events, without a broker. Close it. */
export class Explainer {
  readonly #outcomes: Outcomes;
  readonly #targets: ReadonlyMap<string, { readonly kind: string; readonly address: Address }>;
  readonly #choices: ReadonlyMap<string, ChoiceConfig>;
  readonly #deciding: Deciding | undefined;

  /** @param deciding Tells what choices would decide; it is closed with this. Default: who is eligible is all that is told. */
  constructor(config: GatewayConfig, env: Environment, deciding?: Deciding) {
    this.#deciding = deciding;
    this.#outcomes = new Outcomes(config, env);
    this.#targets = new Map(
      config.targets.map((target) => [target.name, { kind: target.kind, address: addressOf(target, env.adapters) }]),
    );
    this.#choices = new Map(config.choices.map((choice) => [choice.name, choice]));
  }

  /** `nowMs` is the moment of arrival, in milliseconds since 1970, for time windows. */
  async explain(event: MeshEvent, source: string, nowMs: number): Promise<Explanation> {
    const { legs, ...outcome } = await this.#outcomes.of(event, source, nowMs);
    const { id, type } = event;
    const planned: PlannedLeg[] = [];
    for (const leg of legs) planned.push(await this.#leg(leg, event));
    return { source, event: { id, source: event.source, type }, ...outcome, legs: planned };
  }

  async close(): Promise<void> {
    await Promise.all([this.#outcomes.close(), this.#deciding?.close()]);
  }

  async #leg({ event, candidates, ...leg }: LegOutcome, original: MeshEvent): Promise<PlannedLeg> {
    const choice = this.#choices.get(leg.target);
    const allowed = candidates?.flatMap(({ target, refusal }) => (refusal === undefined ? [target] : [])) ?? [];
    const isDecided = choice !== undefined && event !== undefined && allowed.length > 0;
    const decision = isDecided ? await this.#deciding?.of(choice, event.bytes, allowed) : undefined;
    return {
      ...leg,
      ...(choice === undefined ? this.#place(leg.target, event) : { kind: 'choice', by: choice.by }),
      ...(candidates === undefined ? {} : { candidates: candidates.map((one) => this.#candidate(one, event)) }),
      ...(decision === undefined ? {} : { decision }),
      ...(event === undefined || event === original
        ? {}
        : { event: JSON.parse(encodeJson(event).toString()) as unknown }),
    };
  }

  #candidate(
    { target, refusal }: NonNullable<LegOutcome['candidates']>[number],
    event: MeshEvent | undefined,
  ): PlannedCandidate {
    if (refusal === undefined) return { target, eligible: true, ...this.#place(target, event) };
    return { target, eligible: false, ...this.#place(target, undefined), refusal };
  }

  /** The adapter's type of a target, and where it would put the event. */
  #place(target: string, event: MeshEvent | undefined): Pick<PlannedCandidate, 'kind' | 'address'> {
    const { kind = '', address: addressFor } = this.#targets.get(target) ?? {};
    const address = event && addressFor?.(event);
    return { kind, ...(address === undefined ? {} : { address }) };
  }
}

/** The fields of a target that say where events go, rendered: templates, and the names of exchanges and queues. */
function addressOf({ kind, adapter }: TargetConfig, adapters: readonly AdapterSpec[]): Address {
  const shape = adapters.find(({ type }) => type === kind)?.target?.schema.shape ?? {};
  const parts = Object.entries(shape).flatMap(([field, schema]): (readonly [string, string | Template])[] => {
    const text = adapter[field];
    if (typeof text !== 'string') return [];
    if (unwrap(schema).kind === 'template') return [[field, compileTemplate(text)]];
    return field === 'exchange' || field === 'queue' ? [[field, redactUrl(text)]] : [];
  });
  if (parts.length === 0) return () => undefined;
  return (event) => {
    const resolve = (name: string): string | undefined => {
      const value = event.attribute(name);
      return value === undefined ? undefined : attributeText(value);
    };
    return Object.fromEntries(
      parts.map(([field, part]) => {
        const text = typeof part === 'string' ? part : part.render(resolve);
        return [field, text === undefined ? null : redactUrl(text)];
      }),
    );
  };
}
