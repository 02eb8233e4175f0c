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

describe('sources', () => {
  test('a changed source is drained and closed before it opens again', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const gateway = await mesh.run(document());
    mesh.put('in', keyed(0, 3_000));
    const sources = { in: { broker: 'here', topic: 'in', maxBatch: 17 } };
    const summary = await gateway.reload(config(document({ sources })));
    expect(summary).toMatchObject({ changed: ['sources.in'], restarted: ['sources.in'] });
    mesh.put('in', keyed(3_000, 4_000));
    await eventually(() => out.length === 4_000);
    await mesh.settled(gateway);
    expect(faults(out)).toEqual({ duplicates: 0, inversions: 0 });
    expect(mesh.story.filter((line) => line.startsWith('source'))).toEqual([
      'source in opens',
      'source in closes',
      'source in opens',
    ]);
    expect(gateway.status().sources[0]?.counters).toMatchObject({ received: 4_000, acknowledged: 4_000, returned: 0 });
  });

  test('what is unsettled at the deadline comes again from the broker, and only once', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const drain = { deadline: '50ms' };
    const gateway = await mesh.run(document({ drain }));
    mesh.of('out').down = true;
    mesh.put('in', keyed(0, 600));
    await eventually(() => gateway.status().targets[0]?.depth === 600);
    const sources = { in: { broker: 'here', topic: 'in', maxBatch: 100 } };
    await gateway.reload(config(document({ drain, sources })));
    await eventually(() => gateway.status().sources[0]?.counters.received === 1_200);
    mesh.of('out').down = false;
    await mesh.settled(gateway);
    expect(out.length).toBe(600);
    expect(faults(out)).toEqual({ duplicates: 0, inversions: 0 });
    const { sources: now, routes } = gateway.status();
    expect(now[0]?.counters).toMatchObject({ received: 1_200, acknowledged: 600, returned: 600 });
    expect(routes[0]?.legs[0]?.counters).toMatchObject({ planned: 1_200, confirmed: 600, returned: 600 });
  });

  test('a removed source leaves its events to the broker, one that is added takes them', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const gateway = await mesh.run(document());
    mesh.put('in', keyed(0, 1_000));
    const sources = { second: { broker: 'here', topic: 'in' } };
    const routes = [route('all', ['second'], ['out'])];
    expect(await gateway.reload(config(document({ sources, routes })))).toMatchObject({
      added: ['sources.second'],
      removed: ['sources.in'],
      changed: ['routes.all'],
    });
    mesh.put('in', keyed(1_000, 2_000));
    await eventually(() => out.length === 2_000);
    await mesh.settled(gateway);
    expect(faults(out)).toEqual({ duplicates: 0, inversions: 0 });
    const { sources: live, retired } = gateway.status();
    expect((live[0]?.counters.acknowledged ?? 0) + retired.sources.acknowledged).toBe(2_000);
  });

  test('sources in another order keep their routes', async () => {
    const mesh = new Mesh();
    const a = mesh.read('to-a');
    const b = mesh.read('to-b');
    const targets = { a: { broker: 'here', topic: 'to-a' }, b: { broker: 'here', topic: 'to-b' } };
    const one = { broker: 'here', topic: 'one' };
    const two = { broker: 'here', topic: 'two' };
    const routes = [route('a', ['one'], ['a']), route('b', ['two'], ['b'])];
    const gateway = await mesh.run(document({ sources: { one, two }, targets, routes }));
    await gateway.reload(config(document({ sources: { zero: { ...one, topic: 'zero' }, two, one }, targets, routes })));
    mesh.put('one', keyed(0, 10));
    mesh.put('two', keyed(10, 30));
    await mesh.settled(gateway);
    await eventually(() => a.length === 10 && b.length === 20);
  });

  test('what a changed source still hands over is planned under its new number', async () => {
    const mesh = new Mesh();
    const a = mesh.read('to-a');
    const b = mesh.read('to-b');
    const targets = { a: { broker: 'here', topic: 'to-a' }, b: { broker: 'here', topic: 'to-b' } };
    const one = { broker: 'here', topic: 'one', maxBatch: 1 };
    const two = { broker: 'here', topic: 'two', maxBatch: 1 };
    const routes = [route('a', ['one'], ['a']), route('b', ['two'], ['b'])];
    const gateway = await mesh.run(document({ sources: { one, two }, targets, routes }));
    mesh.of('one').deafTurns = 50;
    mesh.put('one', keyed(0, 500));
    mesh.put('two', keyed(500, 1_000));
    await eventually(() => a.length > 10, { everyMs: 1 });
    const sources = { two, one: { ...one, maxBatch: 2 } };
    await gateway.reload(config(document({ sources, targets, routes })));
    const before = gateway.status().sources[1]?.counters.received ?? 0;
    await eventually(() => (gateway.status().sources[1]?.counters.received ?? 0) > before + 10, { everyMs: 1 });
    // Changed again while the first still drains: its number moves once more.
    await gateway.reload(config(document({ sources: { one: { ...one, maxBatch: 3 }, two }, targets, routes })));
    await mesh.settled(gateway);
    expect([a.length, b.length]).toEqual([500, 500]);
    expect([faults(a), faults(b)]).toEqual(new Array(2).fill({ duplicates: 0, inversions: 0 }));
  });

  test('what a removed source still hands over is refused and comes again', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const other = mesh.read('other');
    const gateway = await mesh.run(document({ sources: { in: { broker: 'here', topic: 'in', maxBatch: 1 } } }));
    mesh.of('in').deafTurns = 50;
    mesh.put('in', keyed(0, 500));
    await eventually(() => out.length > 10, { everyMs: 1 });
    const next = document({
      sources: { second: { broker: 'here', topic: 'in' } },
      targets: { other: { broker: 'here', topic: 'other' } },
      routes: [route('all', ['second'], ['other'])],
    });
    await gateway.reload(config(next));
    await eventually(() => out.length + other.length === 500);
    await mesh.settled(gateway);
    expect(faults([...out, ...other])).toEqual({ duplicates: 0, inversions: 0 });
    expect(mesh.letters).toEqual([]);
  });

  test('a source whose paused route holds events does not wait for it, and the events come once', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const routes = [route('all', ['in'], ['out'], { state: 'paused' })];
    const gateway = await mesh.run(document({ routes, drain: { deadline: '1h' } }));
    mesh.put('in', keyed(0, 50));
    await eventually(() => gateway.status().sources[0]?.counters.inFlight === 50);
    const sources = { in: { broker: 'here', topic: 'in', maxBatch: 10 } };
    await gateway.reload(config(document({ routes, sources })));
    await eventually(() => gateway.status().sources[0]?.counters.received === 100);
    await gateway.reload(config(document({ sources })));
    await mesh.settled(gateway);
    expect(out.length).toBe(50);
    expect(faults(out)).toEqual({ duplicates: 0, inversions: 0 });
  });
});

describe('refusals', () => {
  test('what only a restart can change is named, and the old configuration goes on', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    const gateway = await mesh.run(document());
    const { revision } = gateway.config;
    const next = config(document({ name: 'other', store: { path: '/elsewhere' }, routes: [] }));
    await expect(gateway.reload(next)).rejects.toMatchObject({
      code: 'E_RELOAD_RESTART',
      message: 'only a restart can change name, store.path',
    });
    mesh.put('in', keyed(0, 10));
    await mesh.settled(gateway);
    expect(out.length).toBe(10);
    const { reload } = gateway.status();
    expect(reload).toMatchObject({ revision, succeeded: 0, failed: 1, lastError: { code: 'E_RELOAD_RESTART' } });
    expect(mesh.logged.at(-1)?.level).toBe('error');
  });

  test('a new target that can never open is refused with its configuration', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    mesh.of('wrong').impossible = true;
    const gateway = await mesh.run(document());
    const targets = { out: { broker: 'here', topic: 'wrong' } };
    await expect(gateway.reload(config(document({ targets })))).rejects.toMatchObject({ code: 'E_TEST_IMPOSSIBLE' });
    mesh.put('in', keyed(0, 10));
    await mesh.settled(gateway);
    expect(out.length).toBe(10);
    expect(mesh.story.at(-1)).toBe('target out closes');
    expect(mesh.story).not.toContain('fatal E_TEST_IMPOSSIBLE');
  });

  test('a source that can never open is told, and the rest goes on', async () => {
    const mesh = new Mesh();
    const out = mesh.read('out');
    mesh.of('wrong').impossible = true;
    const one = { broker: 'here', topic: 'in' };
    const routes = [route('all', ['in', 'two'], ['out'])];
    const gateway = await mesh.run(document({ sources: { in: one, two: { ...one, topic: 'two' } }, routes }));
    const sources = { in: one, two: { ...one, topic: 'wrong' } };
    await gateway.reload(config(document({ sources, routes })));
    await eventually(() => expect(gateway.status().reload.lastError?.code).toBe('E_TEST_IMPOSSIBLE'));
    mesh.put('in', keyed(0, 10));
    await mesh.settled(gateway);
    expect(out.length).toBe(10);
    await gateway.reload(config(document({ sources: { in: one, two: { ...one, topic: 'two' } }, routes })));
    mesh.put('two', keyed(10, 20));
    await mesh.settled(gateway);
    expect(out.length).toBe(20);
    expect(gateway.status().reload).toMatchObject({ succeeded: 2, failed: 0, lastError: undefined });
    expect(mesh.story.filter((line) => line.startsWith('fatal'))).toEqual([]);
  });

  test('findings are logged with their place and counted', async () => {
    const mesh = new Mesh();
    const gateway = await mesh.run(document());
    gateway.refuseReload([
      { severity: 'error', code: 'E_CONFIG_REFERENCE', message: 'no target "x"', file: 'g.yaml', line: 3, column: 9 },
      { severity: 'warning', code: 'W_UNUSED_TARGET', message: 'not used', file: 'g.yaml', line: 4, column: 1 },
    ]);
    expect(gateway.status().reload).toMatchObject({
      failed: 1,
      lastError: { code: 'E_CONFIG_REFERENCE', findings: ['g.yaml:3:9 error E_CONFIG_REFERENCE: no target "x"'] },
    });
    expect(mesh.logged.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'g.yaml:3:9 error E_CONFIG_REFERENCE: no target "x"',
      expect.stringContaining('not reloaded'),
    ]);
    await gateway.reload(gateway.config);
    expect(gateway.status().reload).toMatchObject({ succeeded: 1, failed: 1, lastError: undefined });
  });

  test('a gateway that does not run reloads nothing, and stopping ends a reload that waits', async () => {
    const mesh = new Mesh();
    mesh.of('far').unreachable = true;
    const gateway = await mesh.run(document());
    const waiting = gateway.reload(config(document({ targets: { out: { broker: 'here', topic: 'far' } } })));
    await eventually(() => mesh.story.filter((line) => line === 'target out opens').length === 2);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'E_STOPPED' });
    await gateway.stop();
    await refused;
    await expect(gateway.reload(config(document()))).rejects.toMatchObject({ code: 'E_STOPPED' });
    expect(mesh.story.filter((line) => line.startsWith('target out')).sort()).toEqual([
      'target out closes',
      'target out closes',
      'target out opens',
      'target out opens',
    ]);
  });
});
