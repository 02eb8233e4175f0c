import { describe, expect, test } from 'vitest';
import { eventually } from '../setup/eventually.ts';
import { seeded } from '../setup/seeded.ts';
import { config, document, faults, Mesh, numbered, route } from './mesh.ts';

const keyed = (from: number, to: number): ReturnType<typeof numbered>[] =>
  Array.from({ length: to - from }, (_, n) => numbered(from + n, `k-${(from + n) % 8}`));

const REGIONS = {
  eu: { broker: 'here', topic: 'eu', labels: { region: 'eu' } },
  us: { broker: 'here', topic: 'us', labels: { region: 'us' } },
};
const to = (choice: object, targets: object = REGIONS): Record<string, unknown> =>
  document({ targets, choices: { any: choice }, routes: [route('all', ['in'], ['any'])] });

describe('a choice', () => {
  test('spreads events over its targets and tells by what', async () => {
    const mesh = new Mesh();
    const [eu, us] = [mesh.read('eu'), mesh.read('us')];
    const gateway = await mesh.run(to({ targets: ['eu', 'us'], by: 'round-robin' }));
    mesh.put('in', keyed(0, 1_000));
    await mesh.settled(gateway);
    expect(eu.length + us.length).toBe(1_000);
    expect(Math.min(eu.length, us.length)).toBeGreaterThan(200);
    expect(faults(eu).inversions + faults(us).inversions).toBe(0);
    const [status] = gateway.status().choices;
    expect(status).toMatchObject({ name: 'any', by: 'round-robin', depth: 0, bytes: 0 });
    const { rule = 0, lease = 0 } = status?.decisions ?? {};
    expect(rule + lease).toBe(1_000);
    expect(status?.targets.map(({ target, counters }) => [target, counters.confirmed])).toEqual([
      ['eu', eu.length],
      ['us', us.length],
    ]);
  });

  test('keeps to what it requires, whatever else is free', async () => {
    const mesh = new Mesh();
    const [eu, us] = [mesh.read('eu'), mesh.read('us')];
    const choice = { targets: ['eu', 'us'], by: 'adaptive', require: { region: '{partitionkey}' } };
    const gateway = await mesh.run(to(choice));
    mesh.of('us').shut = true;
    mesh.put('in', [numbered(0, 'us'), numbered(1, 'eu'), numbered(2, 'eu'), numbered(3, 'mars')]);
    await eventually(() => eu.length === 2 && mesh.letters.length === 1);
    expect(mesh.letters.map(({ code, event }) => [code, event?.id])).toEqual([['E_CHOICE_NOT_ELIGIBLE', 'e-3']]);
    expect(us).toEqual([]);
    mesh.of('us').shut = false;
    await mesh.settled(gateway);
    expect(us.map(({ id }) => id)).toEqual(['e-0']);
  });

  test('goes on at the other target while one is down, and comes back', async () => {
    const mesh = new Mesh();
    const [eu, us] = [mesh.read('eu'), mesh.read('us')];
    const gateway = await mesh.run(to({ targets: ['eu', 'us'], by: 'round-robin' }));
    mesh.of('eu').down = true;
    mesh.put('in', keyed(0, 20));
    await mesh.settled(gateway);
    expect([eu.length, us.length]).toEqual([0, 20]);
    mesh.of('eu').down = false;
    let n = 20;
    await eventually(() => {
      mesh.put('in', keyed(n, n + 1));
      n += 1;
      return eu.length > 0;
    });
    await mesh.settled(gateway);
    expect(eu.length + us.length).toBe(n);
    expect(gateway.status().routes[0]?.legs[0]?.counters.retries).toBe(0);
  });
});

describe('a reload', () => {
  test('keeps what a choice has learned unless something changes that it goes by', async () => {
    const mesh = new Mesh();
    mesh.read('eu');
    mesh.read('us');
    const gateway = await mesh.run(to({ targets: ['eu', 'us'], by: 'round-robin' }));
    mesh.put('in', keyed(0, 100));
    await mesh.settled(gateway);
    await gateway.reload(config(to({ targets: ['us', 'eu'], by: 'adaptive' })));
    mesh.put('in', keyed(100, 200));
    await mesh.settled(gateway);
    const [status] = gateway.status().choices;
    expect(status?.by).toBe('adaptive');
    expect(status?.targets.map(({ target }) => target)).toEqual(['us', 'eu']);
    expect(status?.targets.reduce((sum, { counters }) => sum + counters.confirmed, 0)).toBe(200);
  });

  test('gives what a choice still had to the targets that are left', async () => {
    const mesh = new Mesh();
    const [eu, us] = [mesh.read('eu'), mesh.read('us')];
    const gateway = await mesh.run(to({ targets: ['eu'], by: 'priority' }));
    mesh.of('eu').shut = true;
    // Those of a key would wait for what is under way, so here each has its own.
    mesh.put(
      'in',
      Array.from({ length: 3_000 }, (_, n) => numbered(n, `k-${n}`)),
    );
    await eventually(() => gateway.status().choices[0]?.depth === 3_000);
    await gateway.reload(config(to({ targets: ['us'], by: 'priority' })));
    await eventually(() => us.length > 0);
    mesh.of('eu').shut = false;
    await mesh.settled(gateway);
    expect(eu.length + us.length).toBe(3_000);
    expect(faults([...eu, ...us])).toEqual({ duplicates: 0, inversions: 0 });
  });

  test('that takes a choice away lets it finish at its targets', async () => {
    const mesh = new Mesh();
    const [eu, us] = [mesh.read('eu'), mesh.read('us')];
    const gateway = await mesh.run(to({ targets: ['eu'], by: 'priority' }));
    mesh.of('eu').shut = true;
    mesh.put('in', keyed(0, 1_000));
    await eventually(() => gateway.status().choices[0]?.depth === 1_000);
    await gateway.reload(config(document({ targets: REGIONS, routes: [route('all', ['in'], ['us'])] })));
    mesh.of('eu').shut = false;
    await mesh.settled(gateway);
    expect([eu.length, us.length]).toEqual([1_000, 0]);
    expect(gateway.status().retired.legs).toMatchObject({ planned: 1_000, confirmed: 1_000, pending: 0 });
  });

  test('that takes away a choice with all its targets dead-letters what it still had', async () => {
    const mesh = new Mesh();
    mesh.read('eu');
    const targets = { us: REGIONS.us };
    const gateway = await mesh.run(to({ targets: ['eu'], by: 'priority' }));
    mesh.of('eu').shut = true;
    mesh.put('in', keyed(0, 3_000));
    await eventually(() => gateway.status().choices[0]?.depth === 3_000);
    await gateway.reload(config(document({ targets, routes: [route('all', ['in'], ['us'])] })));
    mesh.of('eu').shut = false;
    await mesh.settled(gateway);
    const eu = mesh.arrived.get('eu') ?? [];
    expect(eu.length + mesh.letters.length).toBe(3_000);
    expect(new Set(mesh.letters.map(({ code }) => code))).toEqual(new Set(['E_TARGET_REMOVED']));
  });

  test('40 reloads of choices under load lose and repeat nothing, and keep the order of keys', async () => {
    const random = seeded(7);
    const mesh = new Mesh();
    const names = ['eu', 'us', 'ap'];
    const topics = names.map((name) => mesh.read(name));
    for (const name of names) mesh.of(name).turns = () => 1 + Math.floor(random() * 8);
    const all: string[] = [];
    const bys = ['round-robin', 'priority', 'adaptive', 'p2c-ewma', 'least-inflight'];
    const next = (): Record<string, unknown> => {
      const members = names.filter(() => random() < 0.7);
      if (members.length === 0) members.push('eu');
      // A changed batch bound makes the target anew.
      const batch = { maxEvents: 1 + Math.floor(random() * 3) };
      const targets = Object.fromEntries(
        names.map((name) => [name, { broker: 'here', topic: name, ...(random() < 0.3 ? { batch } : {}) }]),
      );
      return to({ targets: members, by: bys[Math.floor(random() * bys.length)] }, targets);
    };
    const gateway = await mesh.run(next());
    let n = 0;
    for (let at = 0; at < 40; at += 1) {
      for (const before = n; n < before + 200; n += 1) all.push(`e-${n}`);
      mesh.put('in', keyed(n - 200, n));
      await gateway.reload(config(next()));
    }
    await mesh.settled(gateway);
    const arrived = topics.flat().map(({ id }) => id);
    expect([...arrived].sort()).toEqual([...all].sort());
    for (const topic of topics) expect(faults(topic)).toEqual({ duplicates: 0, inversions: 0 });
    expect(mesh.letters).toEqual([]);
  });
});
