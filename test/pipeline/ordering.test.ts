import { expect, test } from 'vitest';
import { CONFIRMED } from '../../src/core/target.ts';
import { delivery, rig } from './rig.ts';

test('idle keys are forgotten, and a key that comes again still has its order', async () => {
  const r = rig({ lane: { maxEvents: 1_000_000, maxBytes: 1e9 }, window: { maxEvents: 1_000_000, maxBytes: 1e9 } });
  r.target.behaviour = () => CONFIRMED;
  const all = Array.from({ length: 25_000 }, (_, n) => delivery(n, `k${n % 12_500}`));
  for (let at = 0; at < all.length; at += 5_000) {
    r.deliver(all.slice(at, at + 5_000));
    await r.clock.advance(5_000);
  }
  const order = r.target.accepted.map(({ event }) => Number(event.id));
  expect(order.length).toBe(25_000);
  const position = new Map(order.map((n, at) => [n, at]));
  for (let n = 0; n < 12_500; n += 1) expect(position.get(n)).toBeLessThan(position.get(n + 12_500) as number);
  expect(r.lanes.get('a')?.depth).toBe(0);
});
