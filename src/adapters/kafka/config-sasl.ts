import { z } from 'zod';
import { duration, secret } from '../fields.ts';

const password = (mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512') =>
  z.strictObject({
    mechanism: z.literal(mechanism).describe('SASL mechanism.'),
    username: z.string().min(1).describe('User name.'),
    password: secret().describe('Password.'),
  });

const oauthbearer = z.strictObject({
  mechanism: z.literal('oauthbearer').describe('SASL mechanism.'),
  tokenFile: z
    .string()
    .min(1)
    .optional()
    .describe('File that holds the bearer token; read again at every (re-)authentication.'),
  tokenEndpoint: z
    .strictObject({
      url: z.url({ protocol: /^https?$/ }).describe('Token endpoint of the identity provider.'),
      clientId: z.string().min(1).describe('OAuth 2 client id.'),
      clientSecret: secret().describe('OAuth 2 client secret.'),
      scope: z.string().min(1).optional().describe('Scope asked for.'),
      timeout: duration({ minMs: 100 }).prefault('10s').describe('Bound of one token request.'),
    })
    .optional()
    .describe('Client-credentials grant (RFC 6749 §4.4); the token is kept until shortly before it expires.'),
});

const schema = z
  .discriminatedUnion('mechanism', [
    password('plain'),
    password('scram-sha-256'),
    password('scram-sha-512'),
    oauthbearer,
  ])
  .superRefine((value, context) => {
    if (value.mechanism !== 'oauthbearer') return;
    if ((value.tokenFile === undefined) !== (value.tokenEndpoint === undefined)) return;
    context.addIssue({ code: 'custom', message: 'expected exactly one of tokenFile and tokenEndpoint' });
  });

export type KafkaSaslConfig = z.output<typeof schema>;
export const sasl: z.ZodType<KafkaSaslConfig> = schema;
