import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import type { MeshEvent } from '../../src/core/event.ts';
import { Reloader } from '../../src/reload/reloader.ts';
import { eventually } from '../setup/eventually.ts';
import { seeded } from '../setup/seeded.ts';
import { faults, Mesh, numbered } from './mesh.ts';
import { type Change, changes } from './reload-changes.ts';

const RELOADS = 200;
const TYPES = 6;
const KEYS = 32;
const BURST = 40;

/**
 * Events of six types flow through two sources all the while. Whatever the configuration of the moment is, it sends each
 * event to exactly one target, so that everything that was put must arrive once.
 */
test(`${RELOADS} reloads under load, a fifth of them invalid, lose, repeat and turn round nothing`, async () => {
  const random = seeded(20_260_131);
  const mesh = new Mesh();
  const arrivals = new Map<string, MeshEvent[]>();
  for (const topic of ['red', 'green', 'blue', 'rest']) arrivals.set(topic, mesh.read(topic));
  for (const topic of arrivals.keys()) mesh.of(topic).turns = () => 1 + Math.floor(random() * 8);
  const next = changes(random, TYPES);
  const gateway = await mesh.run(next('first').document as object);

  let produced = 0;
  let producing = true;
  const produce = (): void => {
    if (!producing) return;
    for (const topic of ['in', 'side']) {
      if (mesh.broker.topic(topic).waiting > 2_000) continue; // its source is being restarted
      const burst = Array.from({ length: BURST }, () => {
        const n = produced++;
        // A key is always of one type and comes in by one source.
        const key = Math.floor(random() * KEYS);
        return numbered(n, `${topic}-${key}`, `t.${key % TYPES}`);
      });
      mesh.put(topic, burst);
    }
    setImmediate(produce);
  };

  let text = '';
  const reloader = new Reloader({
    gateway,
    file: 'load.yaml',
    load: () => loadConfig(text, { adapters: [mesh.adapter], env: {}, readFile: () => '', file: 'load.yaml' }),
  });
  produce();
  const kinds: Record<string, number> = {};
  for (let n = 0; n < RELOADS; n += 1) {
    const change: Change = next(n % 5 === 4 ? 'invalid' : 'valid');
    kinds[change.kind] = (kinds[change.kind] ?? 0) + 1;
    text = typeof change.document === 'string' ? change.document : stringify(change.document);
    const from = produced;
    const { succeeded } = gateway.status().reload;
    await reloader.request();
    expect(gateway.status().reload.succeeded, `${n}: ${change.kind}`).toBe(succeeded + (change.valid ? 1 : 0));
    await eventually(() => produced >= from + 4 * BURST, { everyMs: 1 });
  }
  producing = false;
  await mesh.settled(gateway);

  const { reload, retired, routes, sources } = gateway.status();
  const all = [...arrivals.values()].flat();
  const delivered = new Set(all.map(({ id }) => id));
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  const figures = {
    reloads: reload.succeeded + reload.failed,
    invalid: reload.failed,
    events: produced,
    lost: produced - delivered.size,
    duplicated: all.length - delivered.size,
    outOfOrder: sum([...arrivals.values()].map((events) => faults(events).inversions)),
    sourcesMade: mesh.count(/^source .* opens$/),
    targetsMade: mesh.count(/^target .* opens$/),
    kinds,
  };
  process.stdout.write(`reload under load: ${JSON.stringify(figures)}\n`);
  expect(figures).toMatchObject({ reloads: RELOADS, invalid: RELOADS / 5, lost: 0, duplicated: 0, outOfOrder: 0 });
  expect(all.length).toBe(produced);
  expect(mesh.letters).toEqual([]);
  expect(mesh.story.filter((line) => line.startsWith('fatal'))).toEqual([]);
  // The accounts hold over the whole life of the process.
  const legs = [retired.legs, ...routes.flatMap((route) => route.legs.map(({ counters }) => counters))];
  expect(sum(legs.map(({ confirmed }) => confirmed))).toBe(produced);
  const taken = [retired.sources, ...sources.map(({ counters }) => counters)];
  expect(sum(taken.map(({ acknowledged }) => acknowledged))).toBe(produced);
}, 120_000);
