import { describe, expect, test } from 'vitest';
import type { MeshEvent } from '../../src/core/event.ts';
import type { Refusal, Validator } from '../../src/core/validation.ts';
import { delivery, rig } from './rig.ts';

const REFUSAL: Refusal = { code: 'E_SCHEMA_INVALID', message: '/n: type' };

/** Refuses what `bad` names; cannot say before {@link settle} what `unknown` names. */
class Gatekeeper implements Validator {
  readonly bad = new Set<string>();
  readonly unknown = new Set<string>();
  asked = 0;
  readonly #waits: (() => void)[] = [];

  check({ id }: MeshEvent): Refusal | Promise<void> | undefined {
    this.asked += 1;
    if (this.unknown.has(id)) return new Promise((resolve) => this.#waits.push(resolve));
    return this.bad.has(id) ? REFUSAL : undefined;
  }

  settle(...ids: string[]): void {
    for (const id of ids) this.unknown.delete(id);
    for (const wake of this.#waits.splice(0)) wake();
  }
}

const ids = (r: ReturnType<typeof rig>): string[] => r.target.accepted.map(({ event }) => event.id);

describe('a route with a validator', () => {
  test('what is refused is dead-lettered on each leg with the reason, without a send; the rest goes on', async () => {
    const validator = new Gatekeeper();
    validator.bad.add('2');
    const r = rig({ targets: ['a', 'b'], validator });
    r.deliver([delivery(1, 'k'), delivery(2, 'k'), delivery(3, 'k')]);
    await r.clock.advance(100);
    expect(ids(r)).toEqual(['1', '3']);
    expect(r.letters).toMatchObject([
      { ...REFUSAL, attempts: 0, route: 'r', target: 'a', source: 'in', event: { id: '2' } },
      { ...REFUSAL, attempts: 0, route: 'r', target: 'b', source: 'in', event: { id: '2' } },
    ]);
    expect([...r.outcomes.values()]).toEqual([[{ verdict: 'ack' }], [{ verdict: 'ack' }], [{ verdict: 'ack' }]]);
    expect(r.legs[0]?.counters).toMatchObject({ planned: 3, confirmed: 2, deadLettered: 1, pending: 0 });
    expect(r.balanced()).toBe(true);
  });

  test('the delivery is not settled before the dead letter is durable', async () => {
    const validator = new Gatekeeper();
    validator.bad.add('1');
    const r = rig({ validator });
    r.keeping.fail = new Error('disk full');
    r.deliver([delivery(1)]);
    await r.clock.advance(1_000);
    expect(r.outcomes.size).toBe(0);
    expect(r.balanced()).toBe(true);
    r.keeping.fail = undefined;
    await r.clock.advance(30_000);
    expect(r.outcomes.get('1')).toEqual([{ verdict: 'ack' }]);
    expect(r.balanced()).toBe(true);
  });

  test('a dead-letter target gets what is refused', async () => {
    const validator = new Gatekeeper();
    validator.bad.add('1');
    const r = rig({ targets: ['a', 'dlq'], settings: { deadLetter: { store: false, target: 'dlq' } }, validator });
    r.deliver([delivery(1, 'k')]);
    await r.clock.advance(100);
    expect(r.targets.get('dlq')?.accepted.map(({ event }) => event.subject)).toEqual(['E_SCHEMA_INVALID']);
    expect(r.letters).toEqual([]);
    expect(r.outcomes.get('1')).toEqual([{ verdict: 'ack' }]);
    expect(r.balanced()).toBe(true);
  });
});

describe('a validator that cannot say yet', () => {
  test('holds the key in order and nothing else, and settles nothing meanwhile', async () => {
    const validator = new Gatekeeper();
    validator.unknown.add('1').add('4');
    validator.bad.add('2');
    const r = rig({ validator });
    r.deliver([delivery(1, 'k'), delivery(2, 'k'), delivery(3, 'other'), delivery(4), delivery(5)]);
    await r.clock.advance(100);
    expect(ids(r)).toEqual(['3', '5']);
    expect(r.letters).toEqual([]);
    expect(r.pipeline.admission.waiting).toBe(3);
    expect(r.intake.counters.inFlight).toBe(3);
    r.deliver([delivery(6, 'k')]);
    validator.settle('4');
    await r.clock.advance(100);
    expect(ids(r)).toEqual(['3', '5', '4']);
    expect(r.balanced()).toBe(true);
    validator.settle('1');
    await r.clock.advance(100);
    expect(ids(r)).toEqual(['3', '5', '4', '1', '6']);
    expect(r.letters.map(({ event }) => event?.id)).toEqual(['2']);
    expect(r.pipeline.admission.waiting).toBe(0);
    expect(r.outcomes.size).toBe(6);
    expect(r.balanced()).toBe(true);
  });

  test('what waits fills the window, which holds the source', async () => {
    const validator = new Gatekeeper();
    for (let n = 0; n < 5; n += 1) validator.unknown.add(String(n));
    const r = rig({ validator, window: { maxEvents: 4, maxBytes: 1e9 } });
    r.deliver(Array.from({ length: 5 }, (_, n) => delivery(n, 'k')));
    expect(r.calls).toEqual(['pause']);
    expect(validator.asked).toBe(1);
    validator.settle('0', '1', '2', '3', '4');
    await r.clock.advance(100);
    expect(r.calls).toEqual(['pause', 'resume']);
    expect(ids(r)).toEqual(['0', '1', '2', '3', '4']);
  });

  test('a stopped pipeline lets nothing more through', async () => {
    const validator = new Gatekeeper();
    validator.unknown.add('1');
    const r = rig({ validator });
    r.deliver([delivery(1, 'k')]);
    r.pipeline.close();
    validator.settle('1');
    await r.clock.advance(1_000);
    expect(r.outcomes.size).toBe(0);
    expect(r.balanced()).toBe(true);
  });

  test('over a reload it is asked anew: by the validator of the route, which may be gone', async () => {
    const before = new Gatekeeper();
    for (const id of ['1', '2', '3']) before.unknown.add(id);
    const r = rig({ validator: before });
    r.deliver([delivery(1, 'k'), delivery(2, 'k'), delivery(3)]);
    const after = new Gatekeeper();
    after.unknown.add('3');
    after.bad.add('2');
    const { plan } = r.pipeline;
    r.pipeline.swap({ ...plan, routes: plan.routes.map((route) => ({ ...route, validator: after })) });
    before.settle('1', '2', '3');
    await r.clock.advance(100);
    expect(ids(r)).toEqual(['1']);
    expect(r.letters.map(({ event, code }) => [event?.id, code])).toEqual([['2', 'E_SCHEMA_INVALID']]);
    expect(r.pipeline.admission.waiting).toBe(1);
    r.pipeline.swap({ ...plan, routes: [] });
    await r.clock.advance(100);
    expect(r.letters.map(({ event, code }) => [event?.id, code])).toContainEqual(['3', 'E_ROUTE_REMOVED']);
    expect(r.outcomes.size).toBe(3);
    expect(r.balanced()).toBe(true);
  });

  test('what went back to its broker meanwhile is let go of', async () => {
    const validator = new Gatekeeper();
    validator.unknown.add('1');
    const r = rig({ validator });
    r.deliver([delivery(1, 'k')]);
    r.pipeline.detach(r.intake);
    validator.settle('1');
    await r.clock.advance(100);
    expect(ids(r)).toEqual([]);
    expect(r.pipeline.admission.waiting).toBe(0);
    expect(r.intake.counters).toMatchObject({ received: 1, returned: 1, inFlight: 0 });
    expect(r.balanced()).toBe(true);
  });
});
