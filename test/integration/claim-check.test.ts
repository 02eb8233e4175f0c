import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import type { MeshEvent } from '../../src/core/event.ts';
import { identity, jsonEvent } from '../setup/events.ts';
import { eventually } from '../setup/eventually.ts';
import { runGateway, settledAndBalanced } from '../setup/gateway.ts';
import { createPlace } from '../setup/places/index.ts';
import type { Place } from '../setup/places/place.ts';

const COUNT = 60;
const LIMIT = 16_384;

/** Sizes up to twice the limit of the queues in the middle; a third is not text, so that base64 is in play. */
function sized(n: number): MeshEvent {
  const size = Math.floor((n * 2 * LIMIT) / COUNT);
  if (n % 3 !== 0) return jsonEvent(n, { data: Buffer.from(JSON.stringify({ n, pad: 'p'.repeat(size) })) });
  return jsonEvent(n, { datacontenttype: 'application/octet-stream', data: Buffer.alloc(size, n) });
}

test('events beyond the limit of an SQS queue go through it by claim check and come out as they went in', async () => {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-claims-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const place = async (kind: 'rabbitmq' | 'sqs'): Promise<Place> => {
    const made = await createPlace(kind);
    onTestFinished(() => made.close());
    return made;
  };
  const [from, seen, through, to] = await Promise.all([
    place('rabbitmq'),
    place('sqs'),
    place('sqs'),
    place('rabbitmq'),
  ]);
  const references: MeshEvent[] = [];
  const received: MeshEvent[] = [];
  await seen.read((event) => references.push(event));
  await to.read((event) => received.push(event));

  const claimCheck = { store: 'file', path };
  const limited = { maxBytes: LIMIT, claimCheck: { ...claimCheck, over: '8KiB' } };
  const keep = { deadLetter: { store: true } };
  const running = await runGateway(
    stringify({
      version: 1,
      name: 'claims',
      brokers: { a: from.broker, q: through.broker },
      sources: {
        in: { broker: 'a', ...from.source },
        back: { broker: 'q', ...through.source, claimCheck },
      },
      targets: {
        seen: { broker: 'q', ...seen.target, ...limited },
        through: { broker: 'q', ...through.target, ...limited },
        out: { broker: 'a', ...to.target },
      },
      routes: [
        { name: 'there', from: ['in'], to: ['seen', 'through'], delivery: keep },
        { name: 'back', from: ['back'], to: ['out'], delivery: keep },
      ],
    }),
  );
  onTestFinished(() => running.stop());
  const sent = Array.from({ length: COUNT }, (_, n) => sized(n));
  await from.produce(sent, 'structured');
  await eventually(() => expect(new Set(received.map(({ id }) => id)).size).toBe(COUNT), { timeoutMs: 60_000 });
  await eventually(() => expect(new Set(references.map(({ id }) => id)).size).toBe(COUNT), { timeoutMs: 60_000 });
  await settledAndBalanced(running.gateway);

  const byId = new Map(received.map((event) => [event.id, event]));
  for (const event of sent) expect(identity(byId.get(event.id) as MeshEvent)).toEqual(identity(event));
  const large = new Set(sent.filter(({ data }) => (data as Buffer).length > 8_192).map(({ id }) => id));
  expect(large.size).toBeGreaterThan(COUNT / 2);
  for (const event of references) {
    expect(event.data === undefined).toBe(large.has(event.id));
    expect(event.extensions['dataref'] !== undefined).toBe(large.has(event.id));
  }
  const legs = running.gateway.status().routes.flatMap((route) => route.legs);
  expect(legs.map(({ counters }) => counters.deadLettered)).toEqual([0, 0, 0]);
});
