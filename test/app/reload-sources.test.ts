import { describe, expect, test } from 'vitest';
import { eventually } from '../setup/eventually.ts';
import { config, document, faults, Mesh, numbered, route } from './mesh.ts';

const keyed = (from: number, to: number): ReturnType<typeof numbered>[] =>
  Array.from({ length: to - from }, (_, n) => numbered(from + n, `k-${(from + n) % 8}`));

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
