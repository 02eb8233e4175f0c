import { silentLog } from '../../src/core/log.ts';
import type { SelectorTarget } from '../../src/core/selector.ts';
import { GATEWAY_SCHEMA } from '../../src/models/contract.ts';
import { createSelector } from '../../src/selecting.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { FakeClock } from '../setup/fake-clock.ts';
import { seeded } from '../setup/seeded.ts';

export const TARGETS_OF_WORLD: readonly SelectorTarget[] = [
  { name: 'log', protocol: 'kafka', cost: 0.1 },
  { name: 'queue', protocol: 'rabbitmq' },
  { name: 'hook', protocol: 'http' },
];
const TICK_MS = 20;

/**
 * What a gateway records in `seconds` of 150 events per second to three targets, which are slow by turns: each has a backlog
 * that comes and goes, is polled, and says how long a send will take. Times are those of a clock that is not waited for.
 */
export async function recordWorld(path: string, seconds: number, seed = 1): Promise<void> {
  const clock = new FakeClock();
  const random = seeded(seed);
  const selector = createSelector(
    { by: 'adaptive', targets: TARGETS_OF_WORLD, telemetry: true, explore: 0.05 },
    { now: () => clock.now(), wall: () => clock.wall(), random },
  );
  const telemetry = new Telemetry({
    path,
    format: 'ndjson',
    maxFileBytes: 2 ** 24,
    maxBytes: 2 ** 28,
    sample: 1,
    rotateMs: 3_600_000,
    gateway: 'mesh',
    instance: 'one',
    schema: GATEWAY_SCHEMA,
    clock,
    random: seeded(seed + 1),
    log: silentLog,
  });
  const choice = { name: 'regions', selector, timeoutMs: 2_000 };
  const observer = telemetry.observe(choice);
  const backlog = [0, 0, 0];
  for (let tick = 0, n = 0; tick < (seconds * 1_000) / TICK_MS; tick += 1) {
    await clock.advance(TICK_MS);
    for (const [i, phase] of [0, 2.1, 4.2].entries()) {
      const wave = Math.max(0, Math.sin((2 * Math.PI * clock.now()) / 6_000 + phase));
      backlog[i] = 0.9 * (backlog[i] as number) + 0.1 * (600 * wave * wave) * (0.8 + 0.4 * random());
      selector.backlog(i, backlog[i] as number, 5);
    }
    selector.tick();
    for (let k = 0; k < 3; k += 1, n += 1) {
      const event = { bytes: random() < 0.2 ? 8_000 : 500 };
      const decision = selector.choose(event);
      const { target } = decision;
      const inFlight = selector.inFlight(target);
      const subject = { event: { source: '/world', id: `e${seed}-${n}` }, route: 'orders', attempt: 1, ...event };
      const handle = observer.decided(subject, [0, 1, 2], decision, inFlight);
      const ticket = selector.sent(target, event);
      const slow = backlog[target] as number;
      const failed = random() < (slow > 150 ? 0.2 : 0.01);
      const ms = Math.min(1_900, (4 + target + 0.3 * slow + event.bytes / 1_000) * (0.8 + 0.4 * random()));
      clock.after(ms, () => {
        selector.settled(ticket, failed ? 'failed' : 'ok');
        observer.settled(handle, failed ? 'failed' : 'ok');
      });
    }
  }
  await clock.advance(3_000);
  await telemetry.close();
}
