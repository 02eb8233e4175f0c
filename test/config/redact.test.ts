// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested

import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { secret } from '../../src/adapters/fields.ts';
import { defineAdapter } from '../../src/adapters/spec.ts';
import { presentable, redactUrl } from '../../src/config/redact.ts';
import { lines, load, memoryConfig } from './load.ts';

const features = {
  redelivers: true,
  returns: true,
  delayedRetry: true,
  rejects: true,
  keyedOrder: true,
  competing: true,
  partitioned: false,
};

/** An adapter whose fields hide secrets in every way a schema can. */
const vault = defineAdapter({
  type: 'memory',
  summary: 'Secrets everywhere.',
  broker: z.strictObject({
    token: secret(),
    url: z.string().optional(),
    nested: z.strictObject({ passphrase: secret().optional() }).optional(),
    headers: z.record(z.string(), secret()).optional(),
    either: z.union([z.boolean(), z.strictObject({ key: secret() })]).optional(),
    login: z.discriminatedUnion('by', [z.strictObject({ by: z.literal('password'), password: secret() })]).optional(),
    list: z.array(secret()).optional(),
  }),
  source: { schema: z.strictObject({ topic: z.string() }), features, variables: [] },
  target: {
    schema: z.strictObject({
      topic: z.string().regex(/^[a-z]+$/, { error: ({ input }) => `"${String(input)}" is not a topic` }),
    }),
    features: { durability: 'none', orderedBatch: true, binaryMode: true },
  },
  createBroker: () => ({ close: async () => {} }),
});

const CANARY = 'canary-4711';
const broker = `{ type: memory, token: '\${CANARY}', url: 'https://user:\${CANARY}@host/path', nested: { passphrase: '\${CANARY}' },
    headers: { authorization: 'Bearer \${CANARY}' }, either: { key: '\${CANARY}' }, login: { by: password, password: '\${CANARY}' }, list: ['\${CANARY}'] }`;

describe('secrets', () => {
  test('reach the adapter and nothing that is printed', () => {
    const result = load(memoryConfig({ '{ type: memory }': broker }), { env: { CANARY }, adapters: [vault] });
    expect(lines(result)).toEqual([]);
    expect(JSON.stringify(result.config)).toContain(CANARY);
    expect(stringify(result.echo)).not.toContain(CANARY);
    expect(result.echo).toMatchObject({
      brokers: { mem: { token: '***', url: 'https://***@host/path', list: ['***'] } },
    });
  });

  test('written out are warned of, each at its place', () => {
    const literal = broker.replaceAll('${CANARY}', CANARY);
    const { findings } = load(memoryConfig({ '{ type: memory }': literal }), { adapters: [vault] });
    expect(findings.map(({ code }) => code)).toEqual(Array.from({ length: 7 }, () => 'W_SECRET_LITERAL'));
    expect(JSON.stringify(findings)).not.toContain(CANARY);
  });

  test('from a file are hidden in any field, and in what an adapter says about them', () => {
    const text = memoryConfig({ '{ type: memory }': "{ type: memory, token: x, url: '${file:/run/secrets/token}' }" });
    expect(JSON.stringify(load(text, { adapters: [vault] }).echo)).not.toContain('canary-from-a-file');
    const wrong = load(
      memoryConfig({
        '{ type: memory }': '{ type: memory, token: x }',
        'topic: out': "topic: '${file:/run/secrets/token}'",
      }),
      { adapters: [vault] },
    );
    expect(lines(wrong)).toEqual(['test.yaml:7:30 error E_CONFIG_VALUE: targets.out.topic: "***" is not a topic']);
  });
});

test('echo is a configuration again', () => {
  const { echo, config } = load(memoryConfig());
  const again = load(stringify(echo));
  expect({ ...again.config, revision: '' }).toEqual({ ...config, revision: '' });
});

test.each([
  ['amqp://u:p@h:5672/v', 'amqp://***@h:5672/v'],
  ['see https://u@h and mqtt://a:b@c', 'see https://***@h and mqtt://***@c'],
  ['https://h/p?x=a@b', 'https://h/p?x=a@b'],
  ['amqp://u:p@ss@h', 'amqp://***@h'],
])('%s', (text, shown) => {
  expect(redactUrl(text)).toBe(shown);
});

test('values that are no plain data are shown as text', () => {
  expect(presentable(z.unknown(), { at: new URL('https://u:p@h/') }, () => false)).toEqual({ at: 'https://***@h/' });
});
