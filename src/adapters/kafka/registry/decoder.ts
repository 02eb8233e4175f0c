import { isUtf8 } from 'node:buffer';
import { FairleadError } from '../../../core/errors.ts';
import { compileAvro } from './avro.ts';
import { malformed } from './avro-reader.ts';
import type { RegisteredSchema, RegistryClient } from './client.ts';
import type { SchemaKey } from './frame.ts';

/** Makes JSON of the payload that begins at `at`. Throws coded errors for what does not fit its schema. */
export type Decoder = (value: Buffer, at: number, maxLength: number) => Buffer;

/** Most schemas that one schema may be made of. */
const MAX_REFERENCES = 64;

/** Fetches a schema with all that it refers to and compiles it. Rejects as the client does, and with `E_KAFKA_REGISTRY_SCHEMA`. */
export async function fetchDecoder(client: RegistryClient, key: SchemaKey, signal: AbortSignal): Promise<Decoder> {
  const root = await client.schema(key, signal);
  switch (root.schemaType) {
    case 'AVRO':
      return compileAvro(root.schema, await referredBy(client, root, signal));
    case 'JSON':
      return decodeJson;
    default: {
      const message = `schemas of type ${root.schemaType} are not supported`;
      throw new FairleadError({ code: 'E_KAFKA_REGISTRY_SCHEMA', message });
    }
  }
}

/** The schemas that one refers to, each once and after those that it refers to itself. */
async function referredBy(client: RegistryClient, root: RegisteredSchema, signal: AbortSignal): Promise<string[]> {
  const seen = new Set<string>();
  const found: string[] = [];
  const visit = async (schema: RegisteredSchema): Promise<void> => {
    for (const { subject, version } of schema.references) {
      const name = `${version} ${subject}`;
      if (seen.has(name)) continue;
      seen.add(name);
      if (seen.size > MAX_REFERENCES) {
        const message = `the schema refers to more than ${MAX_REFERENCES} others`;
        throw new FairleadError({ code: 'E_KAFKA_REGISTRY_SCHEMA', message });
      }
      const referred = await client.version(subject, version, signal);
      await visit(referred);
      found.push(referred.schema);
    }
  };
  await visit(root);
  return found;
}

/** A payload of a JSON Schema is JSON already; whether it meets the schema was the producer's to check. */
function decodeJson(value: Buffer, at: number, maxLength: number): Buffer {
  const data = value.subarray(at);
  if (data.length > maxLength) throw malformed('the JSON of the record is too large');
  if (!isUtf8(data)) throw malformed('it is not UTF-8');
  try {
    JSON.parse(data.toString('utf8'));
  } catch {
    throw malformed('it is not JSON');
  }
  return data;
}
