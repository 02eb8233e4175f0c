import { describe, expect, test } from 'vitest';
import { eventually } from '../setup/eventually.ts';
import { config, document, faults, Mesh, numbered, route } from './mesh.ts';

const keyed = (from: number, to: number): ReturnType<typeof numbered>[] =>
  Array.from({ length: to - from }, (_, n) => numbered(from + n, `k-${(from + n) % 8}`));

describe('routes', () => {
  test('a route that is added takes events from the next batch on, and nothing restarts', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const copy = mesh.read('copy');
    const targets = { out: { broker: 'here', topic: 'out' }, copy: { broker: 'here', topic: 'copy' } };
    const gateway = await mesh.run(document({ targets }));
    mesh.put('in', keyed(0, 100));
    await mesh.settled(gateway);
    mesh.story.length = 0;
    const routes = [route('all', ['in'], ['out']), route('copy', ['in'], ['copy'])];
    const summary = await gateway.reload(config(document({ targets, routes })));
    expect(summary).toMatchObject({ added: ['routes.copy'], removed: [], changed: [], restarted: [], unchanged: 5 });
    expect(summary.revision).toBe(gateway.config.revision);
    mesh.put('in', keyed(100, 200));
    await mesh.settled(gateway);
    expect(out.length).toBe(200);
    expect(copy.map(({ id }) => id).sort()).toEqual(keyed(100, 200).map(({ id }) => id));
    expect(mesh.story).toEqual([]);
    expect(gateway.status().reload).toMatchObject({ succeeded: 1, failed: 0, lastError: undefined });
  });

  test('a route that is removed leaves its counts in the sum of the retired', async () => {
    const mesh = new Mesh();
    mesh.read('out');
    const routes = [route('all', ['in'], ['out']), route('again', ['in'], ['out'])];
    const gateway = await mesh.run(document({ routes }));
    mesh.put('in', keyed(0, 100));
    await mesh.settled(gateway);
    const summary = await gateway.reload(config(document()));
    expect(summary.removed).toEqual(['routes.again']);
    mesh.put('in', keyed(100, 150));
    await mesh.settled(gateway);
    const { routes: live, retired } = gateway.status();
    expect(live).toHaveLength(1);
    expect(live[0]?.legs[0]?.counters).toMatchObject({ planned: 150, confirmed: 150 });
    expect(retired.legs).toMatchObject({ planned: 100, confirmed: 100, pending: 0 });
  });

  test('legs planned before finish under the old route, later events follow the new one', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const other = mesh.read('other');
    const targets = { out: { broker: 'here', topic: 'out' }, other: { broker: 'here', topic: 'other' } };
    const gateway = await mesh.run(document({ targets }));
    mesh.of('out').shut = true;
    mesh.put('in', keyed(0, 1_000));
    await eventually(() => gateway.status().targets[0]?.depth === 1_000);
    await gateway.reload(config(document({ targets, routes: [route('all', ['in'], ['other'])] })));
    mesh.put('in', keyed(1_000, 1_100));
    await eventually(() => other.length === 100);
    expect(out).toEqual([]);
    expect(gateway.status().retired.legs).toMatchObject({ planned: 1_000, pending: 1_000 });
    mesh.of('out').shut = false;
    await mesh.settled(gateway);
    expect(out.length).toBe(1_000);
    expect(faults(out)).toEqual({ duplicates: 0, inversions: 0 });
  });

  test('unmatched changes with the batch after', async () => {
    const mesh = new Mesh();
    const rest = mesh.read('rest');
    const targets = { out: { broker: 'here', topic: 'out' }, rest: { broker: 'here', topic: 'rest' } };
    const routes = [route('some', ['in'], ['out'], { when: { filters: [{ exact: { type: 'other' } }] } })];
    const gateway = await mesh.run(document({ targets, routes, unmatched: 'dead-letter' }));
    mesh.put('in', keyed(0, 10));
    await mesh.settled(gateway);
    expect(mesh.letters).toHaveLength(10);
    const summary = await gateway.reload(config(document({ targets, routes, unmatched: { to: ['rest'] } })));
    expect(summary).toMatchObject({ changed: ['unmatched'], restarted: [] });
    mesh.put('in', keyed(10, 20));
    await mesh.settled(gateway);
    await gateway.reload(config(document({ targets, routes, unmatched: 'drop' })));
    mesh.put('in', keyed(20, 30));
    await mesh.settled(gateway);
    expect([rest.length, mesh.letters.length]).toEqual([10, 10]);
    expect(gateway.status().aside.unmatched).toMatchObject({ planned: 20, deadLettered: 10, dropped: 10 });
    expect(gateway.status().retired.legs).toMatchObject({ planned: 10, confirmed: 10 });
  });

  test('a paused route that is activated sends what it held, before what comes later', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const gateway = await mesh.run(document({ routes: [route('all', ['in'], ['out'], { state: 'paused' })] }));
    mesh.put('in', keyed(0, 500));
    await eventually(() => gateway.status().sources[0]?.counters.inFlight === 500);
    await gateway.reload(config(document()));
    mesh.put('in', keyed(500, 600));
    await mesh.settled(gateway);
    expect(out.length).toBe(600);
    expect(faults(out)).toEqual({ duplicates: 0, inversions: 0 });
  });

  test('what a paused route held is dead-lettered when the route goes', async () => {
    const mesh = new Mesh();
    const paused = route('held', ['in'], ['out'], { state: 'paused' });
    const gateway = await mesh.run(document({ routes: [paused], unmatched: 'drop' }));
    mesh.put('in', keyed(0, 20));
    await eventually(() => gateway.status().sources[0]?.counters.inFlight === 20);
    await gateway.reload(config(document({ routes: [route('held', ['in'], ['out'], { state: 'disabled' })] })));
    await mesh.settled(gateway);
    expect(mesh.letters.map(({ code }) => code)).toEqual(new Array(20).fill('E_ROUTE_REMOVED'));
  });
});

describe('targets', () => {
  test('a changed target: the new one waits for the old one, and order holds', async () => {
    const mesh = new Mesh();
    const events = mesh.read('out');
    const gateway = await mesh.run(document());
    mesh.of('out').shut = true;
    mesh.put('in', keyed(0, 2_000));
    await eventually(() => gateway.status().targets[0]?.depth === 2_000);
    const targets = { out: { broker: 'here', topic: 'out', encoding: 'binary' } };
    expect(await gateway.reload(config(document({ targets })))).toMatchObject({
      changed: ['targets.out'],
      restarted: ['targets.out'],
    });
    expect(gateway.status().reload.leaving).toEqual(['targets.out']);
    mesh.put('in', keyed(2_000, 4_000));
    mesh.of('out').shut = false;
    await mesh.settled(gateway);
    expect(events.length).toBe(4_000);
    expect(faults(events)).toEqual({ duplicates: 0, inversions: 0 });
    expect(mesh.story).toEqual([
      'broker here made',
      'target out opens',
      'source in opens',
      'target out opens',
      'target out closes',
    ]);
  });

  test('a target that was down hands what waits over to the one that replaces it', async () => {
    const mesh = new Mesh();
    const right = mesh.read('right');
    const gateway = await mesh.run(document({ targets: { out: { broker: 'here', topic: 'wrong' } } }));
    mesh.of('wrong').down = true;
    mesh.put('in', keyed(0, 500));
    await eventually(() => gateway.status().targets[0]?.depth === 500);
    await gateway.reload(config(document({ targets: { out: { broker: 'here', topic: 'right' } } })));
    mesh.put('in', keyed(500, 600));
    await mesh.settled(gateway);
    expect(right.length).toBe(600);
    expect(faults(right)).toEqual({ duplicates: 0, inversions: 0 });
    expect(mesh.letters).toEqual([]);
  });

  test('legs that back off do not keep the successor waiting', async () => {
    const mesh = new Mesh();
    const right = mesh.read('right');
    const policies = { patient: { retry: 10, backoffDelay: '1h', retryAfterMax: '1h' } };
    const on = (topic: string) =>
      document({ policies, targets: { out: { broker: 'here', topic, policies: ['patient'] } } });
    const gateway = await mesh.run(on('wrong'));
    mesh.of('wrong').failing = true;
    mesh.put('in', keyed(0, 100));
    await eventually(() => (gateway.status().routes[0]?.legs[0]?.counters.retries ?? 0) >= 8);
    await gateway.reload(config(on('right')));
    mesh.put('in', keyed(100, 120));
    await mesh.settled(gateway);
    expect(right.length).toBe(120);
    expect(faults(right)).toEqual({ duplicates: 0, inversions: 0 });
  });

  test('a removed target sends what it has before it closes', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const rest = mesh.read('rest');
    const gateway = await mesh.run(document());
    mesh.of('out').shut = true;
    mesh.put('in', keyed(0, 300));
    await eventually(() => gateway.status().targets[0]?.depth === 300);
    const next = document({
      targets: { rest: { broker: 'here', topic: 'rest' } },
      routes: [route('all', ['in'], ['rest'])],
    });
    await gateway.reload(config(next));
    mesh.put('in', keyed(300, 400));
    await eventually(() => rest.length === 100);
    mesh.of('out').shut = false;
    await mesh.settled(gateway);
    expect(out.length).toBe(300);
    expect(mesh.story.at(-1)).toBe('target out closes');
    expect(mesh.letters).toEqual([]);
  });

  test('what a removed target cannot send by the deadline is dead-lettered, never lost', async () => {
    const mesh = new Mesh();
    const drain = { deadline: '50ms' };
    const gateway = await mesh.run(document({ drain }));
    mesh.of('out').down = true;
    mesh.put('in', keyed(0, 300));
    await eventually(() => gateway.status().targets[0]?.depth === 300);
    const targets = { rest: { broker: 'here', topic: 'rest' } };
    await gateway.reload(config(document({ drain, targets, routes: [route('all', ['in'], ['rest'])] })));
    await mesh.settled(gateway);
    expect(mesh.letters.map(({ code, target }) => `${code} ${target}`)).toEqual(
      new Array(300).fill('E_TARGET_REMOVED out'),
    );
    expect(gateway.status().sources[0]?.counters).toMatchObject({ received: 300, acknowledged: 300 });
  });

  test('a target that comes back while it is still on its way out keeps its order', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const without = document({
      targets: { rest: { broker: 'here', topic: 'rest' } },
      routes: [route('all', ['in'], ['rest'])],
    });
    const gateway = await mesh.run(document());
    mesh.of('out').shut = true;
    mesh.put('in', keyed(0, 1_000));
    await eventually(() => gateway.status().targets[0]?.depth === 1_000);
    await gateway.reload(config(without));
    await gateway.reload(config(document()));
    mesh.put('in', keyed(1_000, 1_500));
    await eventually(() => gateway.status().targets[0]?.depth === 500);
    mesh.of('out').shut = false;
    await mesh.settled(gateway);
    expect(out.length).toBe(1_500);
    expect(faults(out)).toEqual({ duplicates: 0, inversions: 0 });
  });

  test('a target changed three times in a row hands over through all of them', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const gateway = await mesh.run(document());
    mesh.of('out').shut = true;
    mesh.put('in', keyed(0, 500));
    await eventually(() => gateway.status().targets[0]?.depth === 500);
    for (const maxEvents of [101, 102, 103]) {
      const targets = { out: { broker: 'here', topic: 'out', batch: { maxEvents } } };
      await gateway.reload(config(document({ targets })));
      const from = 500 + (maxEvents - 101) * 100;
      mesh.put('in', keyed(from, from + 100));
      await eventually(() => gateway.status().targets[0]?.depth === 100);
    }
    expect(gateway.status().reload.leaving).toEqual(['targets.out', 'targets.out', 'targets.out']);
    mesh.of('out').shut = false;
    await mesh.settled(gateway);
    expect(out.length).toBe(800);
    expect(faults(out)).toEqual({ duplicates: 0, inversions: 0 });
  });

  test('of an exclusive target the old one has closed before the new one opens', async () => {
    const mesh = new Mesh({ exclusive: true });
    const out = mesh.read('out');
    const gateway = await mesh.run(document());
    mesh.put('in', keyed(0, 500));
    const targets = { out: { broker: 'here', topic: 'out', batch: { maxEvents: 9 } } };
    await gateway.reload(config(document({ targets })));
    mesh.put('in', keyed(500, 1_000));
    await mesh.settled(gateway);
    expect(out.length).toBe(1_000);
    expect(faults(out)).toEqual({ duplicates: 0, inversions: 0 });
    expect(mesh.story.filter((line) => line.startsWith('target'))).toEqual([
      'target out opens',
      'target out closes',
      'target out opens',
    ]);
  });

  test('a policy or a label needs no restart', async () => {
    const mesh = new Mesh();
    const gateway = await mesh.run(document());
    const targets = { out: { broker: 'here', topic: 'out', labels: { region: 'eu' }, policies: ['slow'] } };
    const summary = await gateway.reload(config(document({ targets, policies: { slow: { timeout: '90s' } } })));
    expect(summary).toMatchObject({ changed: ['targets.out'], restarted: [] });
    expect(mesh.story.filter((line) => line === 'target out opens')).toHaveLength(1);
  });

  test('a changed broker restarts what is on it, and is closed after that', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const gateway = await mesh.run(document());
    mesh.put('in', keyed(0, 100));
    const brokers = { here: { type: 'memory', maxEvents: 50_000 } };
    const summary = await gateway.reload(config(document({ brokers })));
    expect(summary).toMatchObject({ changed: ['brokers.here'], restarted: ['sources.in', 'targets.out'] });
    mesh.put('in', keyed(100, 200));
    await mesh.settled(gateway);
    await eventually(() => expect(mesh.story.filter((line) => line === 'broker here closed')).toHaveLength(1));
    expect(mesh.story.indexOf('broker here closed')).toBeGreaterThan(mesh.story.indexOf('source in closes'));
    expect(out.length).toBe(200);
    expect(faults(out)).toEqual({ duplicates: 0, inversions: 0 });
  });

  test('a dead-letter target that is gone gives way to the store', async () => {
    const mesh = new Mesh();
    const targets = { out: { broker: 'here', topic: 'out' }, dead: { broker: 'here', topic: 'dead' } };
    const delivery = { retry: 0, deadLetter: { store: false, target: 'dead' } };
    const gateway = await mesh.run(document({ targets, routes: [route('all', ['in'], ['out'], { delivery })] }));
    Object.assign(mesh.of('out'), { shut: true, failing: true });
    mesh.put('in', keyed(0, 10));
    await eventually(() => gateway.status().targets[0]?.depth === 10);
    await gateway.reload(config(document()));
    mesh.of('out').shut = false;
    await eventually(() => mesh.letters.length === 10);
    mesh.of('out').failing = false;
    await mesh.settled(gateway);
  });
});
