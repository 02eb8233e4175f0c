// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { adapters } from '../../src/adapters/registry.ts';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { load, memoryConfig } from './load.ts';

const validate = new Ajv({ strict: false, validateFormats: false, allErrors: false }).compile(jsonSchema(adapters));

const FULL = `version: 1
name: '\${NAME}'
brokers:
  plant: { type: mqtt, url: mqtt://edge-7:1883, password: '\${file:/run/secrets/plant}' }
  eu: { type: kafka, brokers: ['eu-1:9092'], sasl: { mechanism: plain, username: app, password: '\${P}' }, requestTimeout: '\${T:-5s}' }
sources:
  readings: { broker: plant, topic: 'plant/+/telemetry', qos: 1, maxEventBytes: 64KiB, window: { maxEvents: '\${N}' } }
targets:
  out: { broker: eu, topic: readings, key: '{partitionkey}', labels: { region: eu, cost: 0.4 }, policies: [careful] }
policies:
  careful: { retry: 8, backoffDelay: 200ms }
routes:
  - name: hot
    from: [readings]
    when: { filters: [{ any: [{ exact: { type: a } }, { not: { prefix: { type: b } } }] }] }
    to: [out]
    continue: '\${GO_ON}'
    delivery: { timeout: PT5S, deadLetter: { store: true } }
unmatched: { to: [out] }
`;

describe('the JSON Schema for editors', () => {
  test('is draft-07 and takes what the loader takes, references included', () => {
    expect(jsonSchema(adapters)['$schema']).toBe('http://json-schema.org/draft-07/schema#');
    for (const text of [FULL, memoryConfig()]) {
      expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
    }
    expect(load(memoryConfig()).config).toBeDefined();
  });

  test.each([
    '08-unknown-key',
    '09-unknown-section',
    '10-unknown-broker-type',
    '13-bad-duration',
    '16-filter-dialect',
    '17-route-without-to',
    '22-not-available',
    '23-wrong-type',
  ])('refuses the broken configuration %s', (name) => {
    const text = readFileSync(new URL(`../fixtures/lint/${name}.yaml`, import.meta.url), 'utf8');
    expect(validate(parse(text))).toBe(false);
  });

  test('describes every property', () => {
    const bare: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, value] of Object.entries(node)) {
        if (key === 'properties') {
          for (const [name, property] of Object.entries(value as Record<string, { description?: string }>)) {
            if (property.description === undefined) bare.push(`${path}.${name}`);
          }
        }
        walk(value, `${path}/${key}`);
      }
    };
    walk(jsonSchema(adapters), '');
    expect(bare).toEqual([]);
  });
});
