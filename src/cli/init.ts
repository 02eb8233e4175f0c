import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { EXIT, ExitError } from './exit.ts';
import { DEFAULT_CONFIG } from './load.ts';
import { schemaText } from './schema.ts';

const SCHEMA = 'fairlead.schema.json';

/** `fairlead init`: a commented starter, and beside it the JSON Schema that its first line names. */
export async function init(file: string | undefined, options: { readonly yes?: boolean }): Promise<void> {
  const name = file ?? DEFAULT_CONFIG;
  const schema = join(dirname(name), SCHEMA);
  const taken = [name, schema].filter((path) => existsSync(path));
  if (taken.length > 0 && options.yes !== true) {
    throw new ExitError(EXIT.usage, `${taken.join(' and ')} already there: nothing was written (--yes overwrites)`);
  }
  writeFileSync(name, readFileSync(new URL('../../config/starter.yaml', import.meta.url)));
  writeFileSync(schema, schemaText());
  process.stderr.write(`wrote ${name} and ${schema}\n`);
  const flag = name === DEFAULT_CONFIG ? '' : ` -c ${relative('.', name)}`;
  process.stderr.write(`next: fairlead lint${flag} && fairlead check${flag} && fairlead run${flag}\n`);
}
