import { adapters } from '../adapters/registry.ts';
import { jsonSchema } from '../config/json-schema.ts';

/** The JSON Schema of a configuration as text. */
export function schemaText(): string {
  return `${JSON.stringify(jsonSchema(adapters), null, 2)}\n`;
}

/** `fairlead schema`: the JSON Schema (draft-07) of a configuration, for editors. */
export async function schema(): Promise<void> {
  process.stdout.write(schemaText());
}
