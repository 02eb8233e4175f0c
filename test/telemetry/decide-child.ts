import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';
import { FEATURES, SCHEMA_HASH } from '../../src/models/features.ts';
import { createSelector } from '../../src/selecting.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';

/**
 * Run as a process of its own and ended by a signal: decides and settles as a gateway does, and keeps some sends open for ever.
 * Prints, after each second or so and at the end, the decisions taken so far. Arguments: directory, format.
 */
const [, , path = '', format = 'ndjson'] = process.argv;
const telemetry = new Telemetry({
  path,
  format: format as 'ndjson' | 'parquet',
  maxFileBytes: 2 ** 20,
  maxBytes: 2 ** 28,
  sample: 1,
  rotateMs: 60_000,
  gateway: 'child',
  instance: 'one',
  schema: { hash: SCHEMA_HASH, features: FEATURES },
  clock: systemClock,
  random: Math.random,
  log: silentLog,
});
const targets = ['eu', 'us', 'ap'].map((name, cost) => ({ name, cost }));
const timeoutMs = 2_000;
const selector = createSelector(
  { by: 'adaptive', targets, timeoutMs, telemetry: true },
  { now: systemClock.now, random: Math.random, wall: systemClock.wall },
);
const observer = telemetry.observe({ name: 'regions', selector, timeoutMs });
const eligible = targets.map((_, index) => index);
let decided = 0;

function send(): void {
  const event = { source: '/child', id: `${decided}` };
  const decision = selector.choose({ bytes: 100 }, eligible);
  const { target } = decision;
  if (target < 0) return;
  const handle = observer.decided(
    { event, route: 'all', bytes: 100, attempt: 1 },
    eligible,
    decision,
    selector.inFlight(target),
  );
  const ticket = selector.sent(target, { bytes: 100 });
  decided += 1;
  if (decided % 100 === 0) return; // never settled
  const latencyMs = 1 + (decided % 7);
  setTimeout(() => {
    selector.settled(ticket, 'ok');
    observer.settled(handle, decided % 11 === 0 ? 'failed' : 'ok');
  }, latencyMs);
}

const ticking = setInterval(() => {
  selector.tick();
  for (let n = 0; n < 20; n += 1) send();
}, 20);
const telling = setInterval(() => process.stdout.write(`written ${telemetry.counters.written}\n`), 100);

process.once('SIGTERM', () => {
  clearInterval(ticking);
  clearInterval(telling);
  void telemetry.close().then(() => {
    process.stdout.write(`end ${decided} ${JSON.stringify(telemetry.counters)}\n`, () => process.exit(0));
  });
});
