import { describe, expect, test } from 'vitest';
import { compileTemplate } from '../../src/core/template.ts';

const values: Record<string, string> = { type: 'a.b', 'topic.1': '7', empty: '' };
const render = (text: string): string | undefined => compileTemplate(text).render((name) => values[name]);

describe('templates', () => {
  test.each([
    ['plain', 'plain'],
    ['', ''],
    ['{type}', 'a.b'],
    ['/plant/{topic.1}/x', '/plant/7/x'],
    ['{missing:-eu}', 'eu'],
    ['{missing:-}', ''],
    ['{empty}', ''],
    ['{{{type}}}', '{a.b}'],
  ])('%j renders %j', (text, expected) => {
    expect(render(text)).toBe(expected);
  });

  test('a missing value without a default gives nothing at all', () => {
    expect(render('x-{missing}')).toBeUndefined();
  });

  test.each([
    ['{type', 1],
    ['a}b', 2],
    ['a{Type}', 2],
    ['{}', 1],
  ])('%j is refused with its column', (text, column) => {
    expect(() => compileTemplate(text)).toThrow(expect.objectContaining({ code: 'E_TEMPLATE' }));
    expect(() => compileTemplate(text)).toThrow(`column ${column}`);
  });

  test('tells the names it needs', () => {
    expect(compileTemplate('{type}-{topic.1}-{{no}}').names).toEqual(['type', 'topic.1']);
  });

  test('names may lead into the data', () => {
    expect(compileTemplate('{data.order.items.0.id}{data.x-y:-none}').names).toEqual([
      'data.order.items.0.id',
      'data.x-y',
    ]);
  });

  test('tells the name of a template that is one slot and nothing else', () => {
    expect(['{a}', '{data.b.c}', '{a:-x}', ' {a}', '{a}{b}', 'a'].map((text) => compileTemplate(text).only)).toEqual([
      'a',
      'data.b.c',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
