import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type AttributeValue, MeshEvent } from '../../../src/core/event.ts';
import type { Pattern } from '../../../src/core/routing.ts';
import { explainPattern } from '../../../src/router/pattern/explain.ts';
import { parsePattern } from '../../../src/router/pattern/parse.ts';
import { compilePattern } from '../../../src/router/pattern/public.ts';
import { extensions } from '../../setup/events.ts';

interface Fixture {
  readonly name: string;
  readonly pattern: Pattern;
  readonly cases: readonly {
    readonly event: Readonly<Record<string, unknown>>;
    readonly matches: boolean;
    readonly why?: string;
  }[];
}

const CONTEXT = ['id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema', 'data'];
const folder = fileURLToPath(new URL('../../fixtures/patterns/', import.meta.url));

function meshEvent(event: Readonly<Record<string, unknown>>): MeshEvent {
  const others = Object.entries(event).filter(([name]) => !CONTEXT.includes(name)) as [string, AttributeValue][];
  const context = Object.fromEntries(Object.entries(event).filter(([name]) => CONTEXT.includes(name)));
  return new MeshEvent({
    id: '1',
    source: '/fixture',
    type: 'com.acme.fixture',
    ...context,
    data: event['data'] === undefined ? undefined : Buffer.from(JSON.stringify(event['data'])),
    extensions: extensions(Object.fromEntries(others)),
  });
}

/** Written from the public documentation of the operators: each pattern with events and what is to come of them. */
describe('patterns as documented', () => {
  const count = { patterns: 0, events: 0 };
  afterAll(() => {
    process.stdout.write(
      `pattern fixtures: ${count.patterns} patterns with ${count.events} events behave as documented\n`,
    );
  });

  for (const file of readdirSync(folder)) {
    const fixtures = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Fixture[];
    test.each(fixtures)(`${file.replace('.json', '')}: $name`, ({ pattern, cases }) => {
      const compiled = compilePattern(pattern);
      const node = parsePattern(pattern);
      for (const { event, matches, why } of cases) {
        const told = `${JSON.stringify(event)} ${why ?? ''}`;
        const mesh = meshEvent(event);
        expect(compiled.test(mesh), told).toBe(matches);
        const plain = { specversion: '1.0', id: '1', source: '/fixture', type: 'com.acme.fixture', ...event };
        expect(compiled.test(plain), `plain ${told}`).toBe(matches);
        expect(explainPattern(node, mesh) === undefined, `explained ${told}`).toBe(matches);
        count.events += 1;
      }
      count.patterns += 1;
    });
  }

  test('there are at least thirty', () => {
    expect(count.patterns).toBeGreaterThanOrEqual(30);
  });
});
