import { z } from 'zod';
import { byteSize, duration, secret, template } from '../fields.ts';

export interface MqttBrokerConfig {
  readonly url: string;
  readonly protocolVersion: 4 | 5;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: MqttTlsConfig | undefined;
  /** ms */
  readonly keepalive: number;
  /** ms */
  readonly connectTimeout: number;
}

interface MqttTlsConfig {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized: boolean;
}

export interface MqttSourceConfig {
  readonly topic?: string | undefined;
  readonly topics?: readonly string[] | undefined;
  readonly qos: 0 | 1;
  readonly share?: string | undefined;
  readonly clientId?: string | undefined;
  /** ms */
  readonly sessionExpiry: number;
  readonly retain: 'take' | 'ignore';
  readonly format: 'auto' | 'cloudevents' | 'raw';
  readonly receiveMaximum: number;
  readonly receiveBytes: number;
}

export interface MqttTargetConfig {
  readonly topic: string;
  readonly slashes: 'reject' | 'allow';
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly clientId?: string | undefined;
  readonly maxInFlight: number;
}

const URL_HINT = 'expected mqtt://, mqtts://, ws:// or wss:// with a host, e.g. mqtt://edge-7:1883';

const url = z
  .string()
  .regex(/^(?:mqtts?|wss?):\/\/[^/]/, { error: URL_HINT })
  .superRefine((text, context) => {
    if (!URL.canParse(text)) context.addIssue({ code: 'custom', message: URL_HINT });
    else if (new URL(text).username !== '' || new URL(text).password !== '') {
      context.addIssue({
        code: 'custom',
        message: 'credentials belong in "username" and "password", where they are redacted',
      });
    }
  });

export const brokerSchema: z.ZodObject & z.ZodType<MqttBrokerConfig> = z.strictObject({
  url: url.describe('Address: `mqtt://`, `mqtts://`, `ws://` or `wss://`, host and port.'),
  protocolVersion: z
    .literal([4, 5], { error: 'expected 5 (MQTT 5) or 4 (MQTT 3.1.1)' })
    .default(5)
    .describe('`5` is MQTT 5, `4` is MQTT 3.1.1, which has no content type and no user properties.'),
  username: z.string().optional().describe('User name.'),
  password: secret().optional().describe('Password.'),
  tls: z
    .strictObject({
      ca: z
        .string()
        .optional()
        .describe('File with the certificate authorities to trust (PEM) in place of the system’s.'),
      cert: z.string().optional().describe('File with the client certificate (PEM).'),
      key: z.string().optional().describe('File with the key of the client certificate (PEM).'),
      passphrase: secret().optional().describe('Passphrase of the key.'),
      servername: z.string().optional().describe('Name to verify in place of the host, sent as SNI.'),
      rejectUnauthorized: z.boolean().default(true).describe('`false` accepts any certificate: for tests only.'),
    })
    .optional()
    .describe('TLS of `mqtts://` and `wss://`. Files are read again at every connect.'),
  keepalive: duration({ minMs: 1_000, maxMs: 65_535_000 })
    .prefault('30s')
    .describe('A silent connection is probed after this and given up after one and a half times this. Whole seconds.'),
  connectTimeout: duration({ minMs: 100 }).prefault('10s').describe('How long one attempt to connect may take.'),
});

const qos = z
  .literal([0, 1], {
    error: ({ input }) =>
      input === 2
        ? 'QoS 2 is not supported: a crash between its steps can lose an event; use 1 and the deduplication of the consumer'
        : 'expected 0 or 1',
  })
  .default(1);

const clientId = z.string().min(1).max(65_535).optional();

export const sourceSchema: z.ZodObject & z.ZodType<MqttSourceConfig> = z.strictObject({
  topic: z.string().optional().describe('Topic filter, e.g. `plant/+/telemetry`. Either this or `topics`.'),
  topics: z.array(z.string()).min(1).max(1_000).optional().describe('Several topic filters.'),
  qos: qos.describe('`1`: at least once, acknowledged when every leg is done. `0`: at most once.'),
  share: z
    .string()
    .regex(/^[^/#+\0]+$/, { error: 'a share group has no "/", "#" or "+"' })
    .optional()
    .describe(
      'Group of a shared subscription (`$share/<group>/…`): replicas share the events. Needs a broker that has it.',
    ),
  clientId: clientId.describe(
    'Names the persistent session. Default `<gateway>-<source>-<instance>`; two processes with one id evict each other.',
  ),
  sessionExpiry: duration({ maxMs: 4_294_967_294_000 })
    .prefault('1h')
    .describe(
      'How long the broker keeps the session and its events while this is away (MQTT 5; else the broker’s setting).',
    ),
  retain: z
    .enum(['take', 'ignore'])
    .default('take')
    .describe('Whether the retained event of a topic is taken when the subscription is made.'),
  format: z
    .enum(['auto', 'cloudevents', 'raw'])
    .default('auto')
    .describe(
      '`auto` recognises CloudEvents and wraps the rest by `as`; `cloudevents` dead-letters the rest; `raw` wraps everything.',
    ),
  receiveMaximum: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(1_000)
    .describe('Events taken and not yet acknowledged; told to an MQTT 5 broker as Receive Maximum.'),
  receiveBytes: byteSize({ min: 1_024 })
    .prefault('16MiB')
    .describe('Payload bytes taken and not yet settled, beyond which reading pauses.'),
});

export const targetSchema: z.ZodObject & z.ZodType<MqttTargetConfig> = z.strictObject({
  topic: template().describe(
    'Topic, with attributes in braces, e.g. `alerts/{type}`. An event without such an attribute is dead-lettered.',
  ),
  slashes: z
    .enum(['reject', 'allow'])
    .default('reject')
    .describe('Whether an attribute in `topic` may hold `/` and so add levels; `reject` dead-letters such an event.'),
  qos: qos.describe('`1`: confirmed by the broker. `0`: confirmed when written to the network.'),
  retain: z.boolean().default(false).describe('Whether the broker keeps the event as the retained one of its topic.'),
  clientId: clientId.describe('Default `<gateway>-<target>-<instance>-pub`. The session is never persistent.'),
  maxInFlight: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(1_000)
    .describe('Events sent and not yet confirmed; a lower Receive Maximum of the broker wins.'),
});
