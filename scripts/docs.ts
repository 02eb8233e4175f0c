// `npm run docs` writes what is generated from the sources; `npm run docs -- --check` fails where that is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adapters } from '../src/adapters/registry.ts';
import { jsonSchema } from '../src/config/json-schema.ts';
import { ERROR_CODES } from '../src/core/error-codes.ts';
import { configPage } from './docs/config-page.ts';
import { codeDrift, codesIn, errorPage } from './docs/error-page.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes('--check');

const pages: Readonly<Record<string, string>> = {
  'docs/reference/config.md': configPage(adapters),
  'docs/reference/errors.md': errorPage(ERROR_CODES),
  'config/fairlead.schema.json': `${JSON.stringify(jsonSchema(adapters), null, 2)}\n`,
};

const problems = [...codeDrift(codesIn(join(root, 'src')), ERROR_CODES)];
for (const [name, text] of Object.entries(pages)) {
  const path = join(root, name);
  if (!check) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } else if (current(path) !== text) {
    problems.push(`${name} is out of date: run "npm run docs"`);
  }
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(
  `${Object.keys(pages).length} pages ${check ? 'checked' : 'written'}, ${adapters.length} adapters\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function current(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
