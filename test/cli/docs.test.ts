import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { adapters } from '../../src/adapters/registry.ts';
import { createProgram } from '../../src/cli/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

function commandNames(command: Command, prefix = ''): string[] {
  return command.commands.flatMap((sub) => {
    const name = `${prefix}${sub.name()}`;
    return sub.commands.length > 0 ? commandNames(sub, `${name} `) : [name];
  });
}

test('the README names every command, and no others', () => {
  const line = read('README.md')
    .split('\n')
    .find((text) => text.startsWith('`demo` · '));
  const named = [...(line ?? '').matchAll(/`([a-z]+(?: [a-z]+)?)`/g)].map(([, name]) => name);
  expect(named.sort()).toEqual(commandNames(createProgram()).sort());
});

test('README and guarantees speak of every adapter', () => {
  for (const { type } of adapters) expect(read('README.md')).toContain(`| \`${type}\` |`);
  for (const { type } of adapters.filter((spec) => spec.type !== 'memory')) {
    expect(read('docs/guide/guarantees.md')).toContain(`\`${type}\``);
  }
});

test('every relative link leads somewhere', () => {
  const dead = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target]) => target as string)
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test('codes that the guide names exist', () => {
  const codes = read('docs/reference/errors.md');
  for (const page of pages) {
    for (const [code] of read(page).matchAll(/`[EW]_[A-Z0-9_]+`/g)) expect(codes, `${code} in ${page}`).toContain(code);
  }
});
