import type { Environment } from './components.ts';
import type { GatewayConfig, TargetConfig } from './config/types.ts';
import type { MeshEvent } from './core/event.ts';
import type { Transform } from './core/transform.ts';
import type { Validator } from './core/validation.ts';
import { compileExplainer, type RouteExplainer, type RouteVerdict } from './router/explain/explain.ts';
import { type CandidateVerdict, explainRequire } from './router/explain/require.ts';
import { RouteValidators } from './schema/route-validators.ts';
import { applyTransform, compileTransform } from './transform/compile.ts';
import { JsonataPool } from './transform/jsonata/pool.ts';

/** How long an outcome waits for a schema that has to be fetched; a gateway waits for ever. */
const SCHEMA_TIMEOUT_MS = 15_000;

export interface Cause {
  readonly code: string;
  readonly message: string;
}

/** A leg with the event that its target would be sent, or with why it would be dead-lettered. */
export interface LegOutcome {
  /** `unmatched` where no route matched. */
  readonly route: string;
  /** The entry of `to`: a target or a choice. */
  readonly target: string;
  /** Of a choice: which of its targets the event may go to, and why not to the others. */
  readonly candidates?: readonly CandidateVerdict[];
  /** True: the route is paused, so the leg waits. */
  readonly held?: true;
  /** What would be sent; undefined with an `error`. */
  readonly event?: MeshEvent;
  readonly error?: Cause;
}

/** What becomes of an event. */
export interface EventOutcome {
  /** Every route of the configuration, in its order. */
  readonly routes: readonly RouteVerdict[];
  /** What `unmatched` makes of it, where no route matched. */
  readonly unmatched?: 'dead-letter' | 'drop' | 'fail' | 'send';
  /** After a split one for each of its events; none where a split has left none. */
  readonly legs: readonly LegOutcome[];
}

interface Planned {
  readonly to: readonly string[];
  readonly validator: Validator | undefined;
  readonly transform: Transform | undefined;
}

/**
 * Works out what a configuration does with events: routes, schemas and transforms, but no broker. It has worker processes
 * where a transform needs them, and fetches schemas where routes name them by address: close it.
 */
export class Outcomes {
  readonly #config: GatewayConfig;
  readonly #env: Environment;
  readonly #explain: RouteExplainer;
  readonly #evaluator: JsonataPool;
  readonly #validators: RouteValidators;
  readonly #routes: ReadonlyMap<string, Planned>;
  readonly #choices: ReadonlyMap<string, ReturnType<typeof explainRequire>>;
  #moment = 0;

  constructor(config: GatewayConfig, env: Environment) {
    const { clock, random, log } = env;
    this.#config = config;
    this.#env = env;
    this.#explain = compileExplainer(config.routes, () => this.#moment);
    this.#evaluator = new JsonataPool(env);
    this.#validators = new RouteValidators({ ...config.schemas, clock, random, log });
    this.#choices = choicesOf(config);
    this.#routes = new Map(
      config.routes.map(({ name, to, schema, transform: steps }): [string, Planned] => {
        const validator = schema && this.#validators.validator(schema);
        const transform = steps.length === 0 ? undefined : compileTransform(steps, this.#evaluator);
        return [name, { to, validator, transform }];
      }),
    );
  }

  /** `nowMs` is the moment of arrival, in milliseconds since 1970, for time windows. */
  async of(event: MeshEvent, source: string, nowMs: number): Promise<EventOutcome> {
    this.#moment = nowMs;
    const routes = this.#explain(event, source);
    const matched = routes.filter((verdict) => verdict.matched);
    if (matched.length === 0) {
      const { unmatched } = this.#config;
      if (typeof unmatched === 'string') return { routes, unmatched, legs: [] };
      return {
        routes,
        unmatched: 'send',
        legs: unmatched.to.map((target) => this.#leg({ route: 'unmatched', target }, event)),
      };
    }
    const legs = await Promise.all(matched.map((verdict) => this.#legs(verdict, event)));
    return { routes, legs: legs.flat() };
  }

  close(): Promise<void> {
    this.#evaluator.close();
    return this.#validators.close();
  }

  /** The legs of one target stand together, those of a split in its order. */
  async #legs({ route, paused }: RouteVerdict, event: MeshEvent): Promise<readonly LegOutcome[]> {
    const { to, validator, transform } = this.#routes.get(route) as Planned;
    const held = paused === true ? { held: paused } : {};
    const result = (await this.#refusal(validator, event)) ?? (await sent(transform, event));
    return to.flatMap((target): readonly LegOutcome[] => {
      const leg = { route, target, ...held };
      if (Array.isArray(result)) return result.map((one: MeshEvent) => this.#leg(leg, one));
      const { code, message } = result as Cause;
      return [{ ...leg, error: { code, message } }];
    });
  }

  #leg(leg: Omit<LegOutcome, 'event'>, event: MeshEvent): LegOutcome {
    const candidates = this.#choices.get(leg.target)?.(event);
    if (candidates === undefined) return { ...leg, event };
    if (candidates.some(({ refusal }) => refusal === undefined)) return { ...leg, candidates, event };
    const message = `no target of the choice "${leg.target}" meets what it requires for this event`;
    return { ...leg, candidates, error: { code: 'E_CHOICE_NOT_ELIGIBLE', message } };
  }

  async #refusal(validator: Validator | undefined, event: MeshEvent): Promise<Cause | undefined> {
    const { clock } = this.#env;
    const deadline = clock.now() + SCHEMA_TIMEOUT_MS;
    for (;;) {
      const verdict = validator?.check(event);
      if (!(verdict instanceof Promise)) return verdict;
      const left = deadline - clock.now();
      if (left <= 0) return { code: 'E_SCHEMA_PENDING', message: 'its schema could not be had in time' };
      let cancel = (): void => undefined;
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(left, resolve);
      });
      await Promise.race([verdict, late]);
      cancel();
    }
  }
}

function choicesOf({ choices, targets }: GatewayConfig): ReadonlyMap<string, ReturnType<typeof explainRequire>> {
  const byName = new Map(targets.map((target) => [target.name, target]));
  return new Map(
    choices.map(({ name, require, targets: candidates }) => [
      name,
      explainRequire(
        require,
        candidates.map(({ target }) => byName.get(target) as TargetConfig),
      ),
    ]),
  );
}

async function sent(transform: Transform | undefined, event: MeshEvent): Promise<readonly MeshEvent[] | Cause> {
  if (transform === undefined) return [event];
  return applyTransform(transform, event);
}
