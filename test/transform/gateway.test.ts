import { expect, onTestFinished, test } from 'vitest';
import { MemoryBroker } from '../../src/adapters/memory/broker.ts';
import { encode } from '../../src/adapters/memory/codec.ts';
import { memory } from '../../src/adapters/memory/index.ts';
import type { AdapterSpec } from '../../src/adapters/spec.ts';
import { Gateway, type OwnedDeadLetters } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { DeadLetterInit } from '../../src/core/dead-letter.ts';
import { MeshEvent } from '../../src/core/event.ts';
import { eventually } from '../setup/eventually.ts';

const CONFIG = `
version: 1
brokers: { mem: { type: memory } }
sources: { in: { broker: mem, topic: in } }
targets:
  alarms: { broker: mem, topic: alarms }
  lines: { broker: mem, topic: lines }
  plain: { broker: mem, topic: plain }
routes:
  - name: alarms
    from: [in]
    transform:
      - data:
          jsonata: '{ "celsius": (data.f - 32) * 5 / 9, "from": $event.source, "note": note, "items": items }'
      - set: { type: com.acme.alarm, subject: '{data.from}' }
        data: { remove: [note, items] }
    to: [alarms]
  - name: lines
    from: [in]
    transform: { split: data.items }
    to: [lines]
  - name: plain
    from: [in]
    transform: { set: { region: eu }, remove: [secret], data: { remove: [note, items.*.secret] } }
    to: [plain]
unmatched: dead-letter
drain: { deadline: 20s }
`;

function reading(n: number): MeshEvent {
  const items = Array.from({ length: n % 4 }, (_, k) => ({ n, k, secret: 'x' }));
  return new MeshEvent({
    id: String(n),
    source: `/plant/${n % 5}`,
    type: 'com.acme.reading',
    datacontenttype: 'application/json',
    extensions: Object.assign(Object.create(null), { partitionkey: `k${n % 5}`, secret: 's' }),
    data: Buffer.from(n % 50 === 49 ? 'not json' : JSON.stringify({ data: { f: 32 + n * 9 }, note: 'n', items })),
  });
}

/** Starts {@link CONFIG} with topics that the test can reach into. */
async function start(letters: DeadLetterInit[]) {
  const hub = new MemoryBroker(100_000);
  const spec: AdapterSpec = { ...memory, createBroker: () => hub };
  const { config, findings } = loadConfig(CONFIG, { adapters: [spec], env: {}, readFile: () => '', file: 'test' });
  if (config === undefined) throw new Error(JSON.stringify(findings));
  const keeper: OwnedDeadLetters = {
    close: async () => undefined,
    put: async (batch) => void letters.push(...batch),
    wrap: () => {
      throw new Error('nothing is wrapped here');
    },
  };
  const gateway = new Gateway(config, keeper, { adapters: [spec] });
  onTestFinished(() => gateway.stop());
  const fail = (error: Error): never => {
    throw error;
  };
  gateway.start(fail);
  await gateway.ready(5_000);
  const topics = {
    in: hub.topic('in'),
    alarms: hub.topic('alarms'),
    lines: hub.topic('lines'),
    plain: hub.topic('plain'),
  };
  return { gateway, ...topics };
}

const COUNT = 1_000;

test('events are transformed on their way, in order per key, and a stop lets those under way finish', async () => {
  const letters: DeadLetterInit[] = [];
  const g = await start(letters);
  const sent = Array.from({ length: COUNT }, (_, n) => reading(n));
  g.in.put(sent.map((event) => encode(event, 'structured')));
  await eventually(() => g.gateway.status().sources[0]?.counters.received === COUNT);
  expect(g.alarms.waiting).toBeLessThan(COUNT);
  await g.gateway.stop();
  expect(g.gateway.status()).toMatchObject({
    balanced: true,
    sources: [{ counters: { received: COUNT, acknowledged: COUNT } }],
  });

  const good = sent.filter((_, n) => n % 50 !== 49);
  const events = (topic: typeof g.in): MeshEvent[] =>
    topic.take(COUNT * 4).map(({ record }) => record.event as MeshEvent);
  const alarms = events(g.alarms);
  expect(alarms.length).toBe(good.length);
  for (const { id, type, subject, source, data, extensions } of alarms) {
    const n = Number(id);
    expect({ type, subject, data: JSON.parse(String(data)) }).toEqual({
      type: 'com.acme.alarm',
      subject: source,
      data: { celsius: n * 5, from: source },
    });
    expect(extensions['secret']).toBe('s');
  }
  for (let key = 0; key < 5; key += 1) {
    const own = alarms.map(({ id }) => Number(id)).filter((n) => n % 5 === key);
    expect(own).toEqual([...own].sort((a, b) => a - b));
  }

  const lines = events(g.lines).map(({ id }) => id);
  const expected = good.flatMap(({ id }) => Array.from({ length: Number(id) % 4 }, (_, k) => `${id}#${k}`));
  expect([...lines].sort()).toEqual(expected.sort());

  for (const { id, data, extensions } of events(g.plain)) {
    const n = Number(id);
    const items = Array.from({ length: n % 4 }, (_, k) => ({ n, k }));
    expect(String(data)).toBe(JSON.stringify({ data: { f: 32 + n * 9 }, items }));
    expect({ ...extensions }).toEqual({ partitionkey: `k${n % 5}`, region: 'eu' });
  }

  expect(letters.length).toBe(3 * 20);
  for (const { code, event, attempts } of letters) {
    expect([code, attempts, String(event?.data)]).toEqual(['E_TRANSFORM_DATA', 0, 'not json']);
    expect(event?.type).toBe('com.acme.reading');
    expect(event?.structured).toBeDefined();
  }
});
