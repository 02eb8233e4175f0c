import { expect, test } from 'vitest';
import { eventually } from '../setup/eventually.ts';
import { config, document, Mesh, numbered } from './mesh.ts';

const guarded = (minimum: number): Record<string, unknown> =>
  document({
    targets: { out: { broker: 'here', topic: 'out', policies: ['careful'] } },
    policies: {
      careful: {
        backoffDelay: '1ms',
        circuitBreaker: { minimum, halfOpenAfter: '50ms', halfOpenAfterMax: '100ms', probes: 2 },
      },
    },
  });

const keyed = (from: number, to: number): ReturnType<typeof numbered>[] =>
  Array.from({ length: to - from }, (_, n) => numbered(from + n, `k-${(from + n) % 8}`));

test('a failing target opens its breaker, which status and log tell; it heals and nothing is dead-lettered', async () => {
  const mesh = new Mesh();
  const out = mesh.read('out');
  const gateway = await mesh.run(guarded(10));
  const breaker = () => gateway.status().targets[0]?.breaker;
  expect(breaker()).toMatchObject({ state: 'closed', results: 0, openings: 0, failureRate: undefined });
  mesh.of('out').failing = true;
  mesh.put('in', keyed(0, 200));
  await eventually(() => (breaker()?.openings ?? 0) >= 3);
  expect(breaker()).toMatchObject({ failureRate: 1 });
  expect(Math.abs(Date.now() - Date.parse(breaker()?.since ?? ''))).toBeLessThan(60_000);
  mesh.of('out').failing = false;
  await mesh.settled(gateway);
  await eventually(() => breaker()?.state === 'closed');
  expect([out.length, mesh.letters]).toEqual([200, []]);
  const told = mesh.logged.filter(({ message }) => message.includes('circuit breaker'));
  expect(told[0]).toMatchObject({
    level: 'warn',
    message: 'the circuit breaker opened',
    fields: { target: 'out', openings: 1, failureRate: 1 },
  });
  expect(told.at(-1)).toMatchObject({ level: 'info', fields: { target: 'out' } });
});

test('a reload that changes the breaker hands over what waits behind the open one, in order', async () => {
  const mesh = new Mesh();
  const out = mesh.read('out');
  const gateway = await mesh.run(guarded(10));
  mesh.of('out').failing = true;
  mesh.put('in', keyed(0, 200));
  await eventually(() => (gateway.status().targets[0]?.breaker?.openings ?? 0) >= 1);
  const summary = await gateway.reload(config(guarded(11)));
  expect(summary.restarted).toEqual(['targets.out']);
  mesh.of('out').failing = false;
  mesh.put('in', keyed(200, 300));
  await mesh.settled(gateway);
  expect(new Set(out.map(({ id }) => id)).size).toBe(300);
  expect(mesh.letters).toEqual([]);
  for (let k = 0; k < 8; k += 1) {
    const of = out.filter((event) => event.extensions['partitionkey'] === `k-${k}`);
    const sequence = of.map((event) => Number(event.extensions['sequence']));
    expect(sequence).toEqual([...sequence].sort((a, b) => a - b));
  }
});
