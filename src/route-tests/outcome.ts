import type { AdapterSpec } from '../adapters/spec.ts';
import type { GatewayConfig } from '../config/types.ts';
import type { MeshEvent } from '../core/event.ts';
import { createExplainer, type Explanation } from '../explaining.ts';

/** A leg with the event that its target would be sent, or why it would be dead-lettered. */
export type LegOutcome =
  | { readonly route: string; readonly target: string; readonly event: MeshEvent; readonly error?: undefined }
  | {
      readonly route: string;
      readonly target: string;
      readonly error: { readonly code: string; readonly message: string };
    };

/** What becomes of an event. */
export interface EventOutcome {
  readonly explanation: Explanation;
  readonly legs: readonly LegOutcome[];
}

export type Outcomes = (event: MeshEvent, source: string, nowMs: number) => Promise<EventOutcome>;

/** Works out what a configuration does with events, without a broker. */
export function eventOutcomes(config: GatewayConfig, adapters: readonly AdapterSpec[]): Outcomes {
  let moment = 0;
  const explain = createExplainer(config, adapters, () => moment);
  return async (event, source, nowMs) => {
    moment = nowMs;
    const explanation = explain(event, source);
    return { explanation, legs: explanation.legs.map(({ route, target }) => ({ route, target, event })) };
  };
}
