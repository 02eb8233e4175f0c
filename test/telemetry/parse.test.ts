import { expect, test } from 'vitest';
import { parseLine } from '../../src/telemetry/parse.ts';

test('a header whose features have no names is none', () => {
  const header = (features: unknown): string =>
    JSON.stringify({ telemetry: 1, gateway: 'g', instance: 'i', run: 'r', at: 1, schema: { hash: 'h', features } });
  expect(parseLine(header([{ name: 'load' }, { name: 'errors' }]))).toMatchObject({ telemetry: 1 });
  for (const features of [[null], [3], [{}], [{ name: 'load' }, { name: 7 }], 'load', undefined]) {
    expect(parseLine(header(features))).toBeUndefined();
  }
});
