import { expect, test } from 'vitest';
import { PendingForecasts, type SendForecast } from '../../src/models/pending-forecasts.ts';

const forecast = (model: number): SendForecast => ({
  model,
  average: 2,
  season: 3,
  q95: 4,
  modelFailure: 0.5,
  averageFailure: 0.25,
});

test('a forecast is given back once, by its slot', () => {
  const pending = new PendingForecasts();
  const into = forecast(0);
  expect(pending.take(7, into)).toBe(false);
  pending.put(7, forecast(1));
  pending.put(100_000, forecast(8));
  expect(pending.take(6, into)).toBe(false);
  expect(pending.take(7, into)).toBe(true);
  expect(into).toEqual(forecast(1));
  expect(pending.take(7, into)).toBe(false);
  expect(pending.take(100_000, into)).toBe(true);
  expect(into.model).toBe(8);
  pending.put(3, forecast(Number.NaN));
  expect(pending.take(3, into)).toBe(false);
  pending.put(3, forecast(1));
  pending.clear();
  expect(pending.take(3, into)).toBe(false);
});
