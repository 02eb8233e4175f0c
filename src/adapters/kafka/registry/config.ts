import { z } from 'zod';
import { duration, secret } from '../../fields.ts';

/** The field `schemaRegistry` of a source. */
export const schemaRegistry = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected a URL that begins with https:// or http://' })
    .describe('Base of the registry API, e.g. `https://registry:8081`, for Apicurio `https://host/apis/ccompat/v7`.'),
  auth: z
    .union(
      [
        z.strictObject({ username: z.string().min(1).describe('User.'), password: secret().describe('Password.') }),
        z.strictObject({ token: secret().describe('Bearer token.') }),
      ],
      { error: 'expected { username, password } or { token }' },
    )
    .optional()
    .describe('Credentials. Default: none.'),
  timeout: duration({ minMs: 100 }).prefault('5s').describe('Bound of one request; it is tried again with backoff.'),
  maxSchemas: z.int().min(10).prefault(1_000).describe('Most schemas kept; past it the oldest is given up.'),
  unknownFor: duration()
    .prefault('5m')
    .describe(
      'How long a partition waits for a schema id that the registry does not know; then records with it are dead-lettered. A registry that cannot be reached is waited for without end.',
    ),
  unframed: z
    .enum(['poison', 'pass'])
    .prefault('poison')
    .describe('Records that name no schema: `poison` dead-letters them, `pass` takes them as they are.'),
});

export type SchemaRegistryConfig = z.output<typeof schemaRegistry>;
