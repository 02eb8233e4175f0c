import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { fairlead, temporaryFolder } from './command.ts';

const CONFIG = `version: 1
brokers:
  eu: { type: kafka, brokers: ['nowhere:9092'] }
  jobs: { type: rabbitmq, url: amqp://nowhere }
sources:
  orders: { broker: eu, topics: [orders], startFrom: latest }
  work: { broker: jobs, queue: work }
targets:
  history: { broker: eu, topic: 'history-{region}', key: '{subject}' }
  billing: { broker: jobs, exchange: billing, routingKey: '{type}' }
routes:
  - { name: large, from: [orders], when: { filters: [{ sql: "type = 'order' AND amount > 100" }] }, to: [billing] }
  - { name: all, from: [orders], to: [history, billing], state: paused }
  - { name: later, from: [orders], to: [history], active: { from: 2026-08-01T00:00:00Z, to: 2026-09-01T00:00:00Z } }
unmatched: drop
`;
const EVENT = { specversion: '1.0', id: '7', source: '/shop', type: 'order', region: 'eu', amount: 5, data: { a: 1 } };

function folder(): string {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'fairlead.yaml'), CONFIG);
  writeFileSync(join(cwd, 'event.json'), JSON.stringify(EVENT));
  return cwd;
}

test('explain: every route with its first condition that failed, and the legs with their addresses', async () => {
  const cwd = folder();
  const { code, stdout, stderr } = await fairlead(['explain', 'event.json', '--now', '2026-07-01T00:00:00Z'], { cwd });
  expect(stderr).toBe('');
  expect(stdout).toBe(`from orders: order 7 of /shop
  ·  large  when.filters[0].sql  amount > 100 is false (amount = 5)
  ‖  all                         matches; paused, so its legs are held
  ·  later  active.from          its window opens at 2026-08-01T00:00:00Z
legs
  all  → history (kafka)     topic: history-eu, key: none, an attribute is missing  held
  all  → billing (rabbitmq)  exchange: billing, routingKey: order                   held

from work: order 7 of /shop
  ·  large  from  the route does not read work
  ·  all    from  the route does not read work
  ·  later  from  the route does not read work
no route matches: dropped and counted
`);
  expect(code).toBe(0);
});

test('explain: stdin, one source, JSON and YAML say the same', async () => {
  const cwd = folder();
  const ask = (...args: string[]) =>
    fairlead(['explain', '-', '--source', 'orders', '--now', '2026-08-01T00:00:00Z', ...args], {
      cwd,
      input: JSON.stringify(EVENT),
    });
  const json = JSON.parse((await ask('-o', 'json')).stdout);
  expect(json).toMatchObject([
    {
      source: 'orders',
      event: { id: '7', source: '/shop', type: 'order' },
      routes: [
        { route: 'large', matched: false, refusal: { code: 'false', at: 'when.filters[0].sql', actual: 'amount = 5' } },
        { route: 'all', matched: true, paused: true },
        { route: 'later', matched: true },
      ],
      legs: [
        { route: 'all', target: 'history', kind: 'kafka', held: true, address: { topic: 'history-eu', key: null } },
        { route: 'all', target: 'billing', held: true },
        { route: 'later', target: 'history' },
      ],
    },
  ]);
  expect(parse((await ask('-o', 'yaml')).stdout)).toEqual(json);
});

const CHOICE = `version: 1
brokers:
  eu: { type: kafka, brokers: ['nowhere:9092'] }
sources:
  orders: { broker: eu, topics: [orders], startFrom: latest }
targets:
  history: { broker: eu, topic: 'history-{region}', labels: { region: eu } }
  abroad: { broker: eu, topic: abroad, labels: { region: us } }
choices:
  archive: { targets: [abroad, history], by: adaptive, require: { region: '{area:-eu}' } }
routes:
  - { name: set, from: [orders], when: { filters: [{ exact: { type: set } }] }, to: [archive], transform: { set: { area: us } } }
unmatched: { to: [archive] }
`;

test('explain: of a choice, which targets the event as it is sent may go to, and why not to others', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'fairlead.yaml'), CHOICE);
  const ask = async (event: object, ...args: string[]): Promise<string> =>
    (await fairlead(['explain', '-', ...args], { cwd, input: JSON.stringify({ ...EVENT, ...event }) })).stdout;
  const legs = (text: string): string => text.slice(text.indexOf('legs'));
  expect(legs(await ask({}))).toBe(`legs
  unmatched  → archive (choice by adaptive)
               · abroad (kafka)              require.region: region is "us", not "eu"
               ✔ history (kafka)             topic: history-eu
no route matches: sent to the targets of unmatched
`);
  expect(legs(await ask({ type: 'set', area: 'mars' }))).toBe(`legs
  set  → archive (choice by adaptive)                                            transformed
         ✔ abroad (kafka)              topic: abroad
         · history (kafka)             require.region: region is "eu", not "us"
`);
  expect(legs(await ask({ area: 'mars' }))).toContain(
    'dead-lettered: E_CHOICE_NOT_ELIGIBLE: no target of the choice "archive" meets what it requires for this event',
  );
  const [{ legs: planned }] = JSON.parse(await ask({}, '-o', 'json'));
  expect(planned).toEqual([
    {
      route: 'unmatched',
      target: 'archive',
      kind: 'choice',
      by: 'adaptive',
      candidates: [
        {
          target: 'abroad',
          eligible: false,
          kind: 'kafka',
          refusal: {
            code: 'differs',
            at: 'require.region',
            message: 'region is "us", not "eu"',
            expected: '"eu"',
            actual: 'us',
          },
        },
        { target: 'history', eligible: true, kind: 'kafka', address: { topic: 'history-eu' } },
      ],
    },
  ]);
});

test('explain: what it cannot work with', async () => {
  const cwd = folder();
  expect(await fairlead(['explain', 'event.json', '--source', 'order'], { cwd })).toMatchObject({
    code: 2,
    stderr: 'there is no source "order": known: orders, work\n',
  });
  expect(await fairlead(['explain', 'none.json'], { cwd })).toMatchObject({
    code: 2,
    stderr: 'cannot read none.json: ENOENT\n',
  });
  expect(await fairlead(['explain', 'event.json', '--now', 'today'], { cwd })).toMatchObject({ code: 2 });
  const broken = await fairlead(['explain', '-'], { cwd, input: '{"specversion":"1.0"}' });
  expect(broken).toMatchObject({ code: 1, stderr: 'E_CE_MISSING: required attributes id, source, type missing\n' });
});
