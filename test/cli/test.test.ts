import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fairlead, temporaryFolder } from './command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test.each(['config/demo.yaml', 'config/gateway.example.yaml', 'config/starter.yaml'])(
  '%s passes its tests',
  async (file) => {
    const { code, stdout, stderr } = await fairlead(['test', '-c', file], { cwd: root, env: { INGRESS_TOKEN: 'x' } });
    expect(stdout).toMatch(/^(?:✔ .+\n)+$/);
    expect(stderr).toMatch(/^\d tests, 0 failed\n$/);
    expect(code).toBe(0);
  },
);

const CONFIG = `version: 1
brokers: { mem: { type: memory } }
sources: { in: { broker: mem, topic: in } }
targets: { out: { broker: mem, topic: out }, rest: { broker: mem, topic: rest } }
routes:
  - { name: hot, from: [in], when: { filters: [{ sql: "celsius > 90" }] }, to: [out] }
  - { name: summer, from: [in], to: [out], active: { from: 2026-06-01T00:00:00Z, to: 2026-09-01T00:00:00Z } }
unmatched: { to: [rest] }
tests:
  - name: Hot and in summer
    source: in
    now: 2026-07-01T00:00:00Z
    file: events/hot.json
    expect:
      routes: [hot, summer]
      legs: [{ route: hot, target: out, data: { a: null } }, { route: summer, target: out }]
  - name: cold and in winter
    source: in
    now: 2026-12-01T00:00:00Z
    event: { type: a, source: /s, celsius: 3, data: { a: null } }
    expect: { unmatched: true, legs: [{ route: unmatched, target: rest, attributes: { celsius: 3 }, data: { a: null } }] }
  - name: fails
    source: in
    now: 2026-12-01T00:00:00Z
    event: { type: a, source: /s, celsius: 3 }
    expect: { routes: [hot] }
`;
const HOT = { specversion: '1.0', id: '1', source: '/s', type: 'a', celsius: 95, data: { a: null } };

test('test: 4 and a diff where one fails, filtered by name, as JSON', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'fairlead.yaml'), CONFIG.replace('events/', ''));
  writeFileSync(join(cwd, 'hot.json'), JSON.stringify(HOT));
  const all = await fairlead(['test', '-c', join(cwd, 'fairlead.yaml')]);
  expect(all.stdout).toBe(`✔ Hot and in summer
✔ cold and in winter
✘ fails
    routes
      - hot  when.filters[0].sql: is false (celsius = 3)
`);
  expect(all.stderr).toBe('3 tests, 1 failed\n');
  expect(all.code).toBe(4);

  const some = await fairlead(['test', '--filter', 'IN SUMMER'], { cwd });
  expect(some).toEqual({ code: 0, stdout: '✔ Hot and in summer\n', stderr: '1 test, 0 failed\n' });

  const json = await fairlead(['test', '-o', 'json', '--filter', 'fails'], { cwd });
  expect(JSON.parse(json.stdout)).toEqual([
    {
      name: 'fails',
      source: 'in',
      ok: false,
      differences: [{ at: 'routes', expected: 'hot', why: 'when.filters[0].sql: is false (celsius = 3)' }],
    },
  ]);
  expect(json.code).toBe(4);
});

test('test: nothing to run is no success, and an unreadable event fails its test', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'fairlead.yaml'), CONFIG);
  expect(await fairlead(['test', '--filter', 'nope'], { cwd })).toMatchObject({
    code: 2,
    stderr: 'fairlead.yaml has no test whose name contains "nope"\n',
  });
  const { code, stdout } = await fairlead(['test', '--filter', 'hot'], { cwd });
  expect(stdout).toMatch(
    /✘ Hot and in summer\n {4}file\n {6}E_TEST_FILE: events\/hot\.json cannot be read \(ENOENT\)\n/,
  );
  expect(code).toBe(4);
  writeFileSync(join(cwd, 'fairlead.yaml'), CONFIG.slice(0, CONFIG.indexOf('tests:')));
  expect(await fairlead(['test'], { cwd })).toMatchObject({ code: 2, stderr: 'fairlead.yaml has no tests\n' });
});

const SHAPED = `version: 1
brokers: { mem: { type: memory } }
sources: { in: { broker: mem, topic: in } }
targets: { out: { broker: mem, topic: out }, more: { broker: mem, topic: more } }
routes:
  - name: items
    from: [in]
    transform: [ { set: { tenant: '{data.tenant}' } }, { split: data.items }, { set: { subject: '{data.sku}' } } ]
    to: [out]
    delivery: { deadLetter: { store: true } }
  - name: sum
    from: [in]
    transform: { data: { jsonata: '{ "total": $sum(items.price) }' } }
    to: [more]
    delivery: { deadLetter: { store: true } }
  - name: checked
    from: [in]
    schema: order.schema.json
    to: [out, more]
    delivery: { deadLetter: { store: true } }
unmatched: dead-letter
tests:
  - name: an order is split, summed and checked
    source: in
    event: { type: order, source: /shop, data: { tenant: eu, items: [{ sku: a, price: 1 }, { sku: b, price: 2 }] } }
    expect:
      legs:
        - { route: items, target: out, attributes: { id: 1#0, subject: a, tenant: eu }, data: { sku: a, price: 1 } }
        - { route: items, target: out, attributes: { id: 1#1, subject: b }, data: { sku: b, price: 2 } }
        - { route: sum, target: more, data: { total: 3 } }
        - { route: checked, target: out }
        - { route: checked, target: more }
  - name: no items
    source: in
    event: { type: order, source: /shop, data: { tenant: eu } }
    expect:
      routes: [items, sum, checked]
      legs:
        - { route: items, target: out, error: E_TRANSFORM_DATA }
        - { route: sum, target: more, data: { total: null } }
        - { route: checked, target: out, error: E_SCHEMA_INVALID }
        - { route: checked, target: more }
`;

test('test and explain: what schemas and transforms make of an event', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'fairlead.yaml'), SHAPED);
  writeFileSync(join(cwd, 'order.schema.json'), JSON.stringify({ type: 'object', required: ['items'] }));
  const { code, stdout } = await fairlead(['test'], { cwd });
  expect(stdout).toMatch(/^✔ an order is split, summed and checked\n✘ no items\n/);
  expect(stdout).toContain('    checked → more: error\n      + E_SCHEMA_INVALID');
  expect(stdout).not.toContain('items → out');
  expect(code).toBe(4);

  const event = JSON.stringify({
    specversion: '1.0',
    id: '7',
    source: '/s',
    type: 'order',
    data: { items: [{ sku: 'a', price: 2 }] },
  });
  const explained = await fairlead(['explain', '-', '-o', 'json'], { cwd, input: event });
  expect(JSON.parse(explained.stdout)[0].legs).toMatchObject([
    { route: 'items', target: 'out', error: { code: 'E_TRANSFORM_TEMPLATE' } },
    { route: 'sum', target: 'more', event: { id: '7', data: { total: 2 } } },
    { route: 'checked', target: 'out' },
    { route: 'checked', target: 'more' },
  ]);
});
