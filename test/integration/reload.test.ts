import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { faultEvent, Ledger } from '../faults/ledger.ts';
import { eventually } from '../setup/eventually.ts';
import { parseConfig, routeConfig, runGateway, settledAndBalanced } from '../setup/gateway.ts';
import { createPlace } from '../setup/places/index.ts';
import type { Kind } from '../setup/places/place.ts';
import { seeded } from '../setup/seeded.ts';

const BURST = 200;

/** What may change about a target of a kind and a source of a kind without changing where events come from and go. */
const SOURCE: Record<string, (n: number) => object> = {
  rabbitmq: (n) => ({ prefetch: 200 + n }),
  mqtt: (n) => ({ receiveMaximum: 200 + n }),
  kafka: (n) => ({ commitInterval: `${100 + n}ms` }),
};

/** Reloads in the middle of a stream: most change routes, some make the target or the source anew, a fifth are invalid. */
test.each<[Kind, Kind, number]>([
  ['rabbitmq', 'kafka', 40],
  ['mqtt', 'rabbitmq', 20],
  ['kafka', 'mqtt', 10],
])('%s → %s: %i reloads under load', { timeout: 180_000 }, async (fromKind, toKind, reloads) => {
  const from = await createPlace(fromKind);
  onTestFinished(() => from.close());
  const to = await createPlace(toKind);
  onTestFinished(() => to.close());
  const ledger = new Ledger();
  await to.read((event) => ledger.delivered(event));
  const random = seeded(reloads);
  const first = routeConfig(from, to);
  const { gateway, stop } = await runGateway(first);
  onTestFinished(stop);
  const { store } = gateway.config;
  const document = parse(first);

  let produced = 0;
  let producing = true;
  const stream = (async () => {
    while (producing) {
      const burst = Array.from({ length: BURST }, (_, n) => faultEvent(produced + n));
      ledger.produced(burst);
      await from.produce(burst, 'structured');
      ledger.acknowledged(burst);
      produced += BURST;
      await eventually(() => produced - ledger.distinct < 4_000, { timeoutMs: 60_000 });
    }
  })();

  const counts = { routes: 0, target: 0, source: 0, invalid: 0 };
  for (let n = 0; n < reloads; n += 1) {
    if (n % 5 === 4) {
      counts.invalid += 1;
      const refused = { ...parseConfig(first), store, name: 'renamed' };
      await expect(gateway.reload(refused)).rejects.toMatchObject({ code: 'E_RELOAD_RESTART' });
    } else {
      const what = n % 10 === 3 ? 'target' : n % 10 === 7 ? 'source' : 'routes';
      counts[what] += 1;
      if (what === 'routes') {
        // The one route under another condition that holds, and others that do not.
        document.routes[0].when = { filters: [{ prefix: { id: random() < 0.5 ? 'e' : 'e-' } }] };
        const never = (name: string) => ({ ...document.routes[0], name, when: { filters: [{ exact: { id: 'x' } }] } });
        document.routes = [document.routes[0], ...(random() < 0.5 ? [never('a')] : [never('b'), never('c')])];
      } else if (what === 'target') document.targets.out.batch = { maxEvents: 50 + n };
      else Object.assign(document.sources.in, SOURCE[fromKind]?.(n));
      const summary = await gateway.reload({ ...parseConfig(JSON.stringify(document)), store });
      expect(summary.restarted).toEqual({ routes: [], target: ['targets.out'], source: ['sources.in'] }[what]);
      await gateway.ready(60_000);
    }
    const seen = ledger.distinct;
    await eventually(() => ledger.distinct >= seen + BURST, { timeoutMs: 60_000 });
  }
  producing = false;
  await stream;
  await eventually(() => ledger.missing === 0, { timeoutMs: 60_000 });
  await settledAndBalanced(gateway);
  const report = ledger.report();
  process.stdout.write(`reload ${fromKind} → ${toKind}: ${JSON.stringify({ reloads, ...counts, ...report })}\n`);
  expect(report).toMatchObject({ lost: 0, foreign: 0, duplicates: 0, inversions: 0, delivered: produced });
  expect(gateway.status().reload).toMatchObject({ succeeded: reloads - counts.invalid, failed: counts.invalid });
});
