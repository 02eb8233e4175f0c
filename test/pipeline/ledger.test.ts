import { expect, test } from 'vitest';
import { Ledger, legName } from '../../src/pipeline/ledger.ts';

const names = (legs: string[], routes: string[] = [], sources: string[] = []) => ({
  legs: new Set(legs),
  routes: new Set(routes),
  sources: new Set(sources),
});

test('counters are found again by name', () => {
  const ledger = new Ledger();
  expect(ledger.leg('a', 't')).toBe(ledger.leg('a', 't'));
  expect(ledger.leg('a', 't')).not.toBe(ledger.leg('a', 'u'));
  expect(ledger.source('s')).toBe(ledger.source('s'));
  expect(ledger.route('a')).toBe(ledger.route('a'));
});

test('what is gone is folded once nothing of it is under way, and counts on meanwhile', () => {
  const ledger = new Ledger();
  const leg = ledger.leg('a', 't');
  leg.planned = 5;
  leg.confirmed = 3;
  leg.pending = 2;
  leg.observe(7);
  ledger.route('a').filterErrors = 4;
  const now = names([legName('b', 't')]);
  ledger.fold(now);
  expect(ledger.leg('a', 't')).toBe(leg);
  expect(ledger.sum(now)).toMatchObject({ legs: { planned: 5, pending: 2 }, routes: { filterErrors: 4 } });
  leg.pending = 0;
  leg.confirmed = 5;
  ledger.fold(now);
  expect(ledger.leg('a', 't')).not.toBe(leg);
  expect(ledger.sum(now).legs).toMatchObject({ planned: 5, confirmed: 5, pending: 0, latencySumMs: 7 });
  expect(ledger.sum(now).legs.latency.reduce((sum, count) => sum + count)).toBe(1);
  expect(ledger.balanced()).toBe(true);
});

test('a name that comes back counts on, or anew beside the sum', () => {
  const ledger = new Ledger();
  const source = ledger.source('s');
  source.received = 2;
  source.acknowledged = 1;
  source.inFlight = 1;
  ledger.fold(names([]));
  expect(ledger.source('s')).toBe(source);
  source.returned = 1;
  source.inFlight = 0;
  ledger.fold(names([]));
  const again = ledger.source('s');
  expect(again.received).toBe(0);
  expect(ledger.sum(names([], [], ['s'])).sources).toMatchObject({ received: 2, acknowledged: 1, returned: 1 });
});

test('any number of reloads leaves one sum', () => {
  const ledger = new Ledger();
  for (let n = 0; n < 1_000; n += 1) {
    const leg = ledger.leg(`r-${n}`, 't');
    leg.planned = 1;
    leg.dropped = 1;
    ledger.fold(names([]));
  }
  expect(ledger.sum(names([])).legs).toMatchObject({ planned: 1_000, dropped: 1_000 });
});

test('an account that does not balance is told of, folded or not', () => {
  const ledger = new Ledger();
  ledger.leg('a', 't').planned = 1;
  expect(ledger.balanced()).toBe(false);
  ledger.fold(names([]));
  expect(ledger.balanced()).toBe(false);
});
