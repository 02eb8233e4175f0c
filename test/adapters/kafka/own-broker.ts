import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Brokers } from '../../brokers/index.d.mts';
import type { BrokerContext, BrokerSpec } from '../../brokers/spec.d.mts';

const run = promisify(execFile);

/** A Kafka of the test's own, to stop and kill, with listeners for SASL, TLS and mutual TLS beside the plain one. */
export interface OwnKafka {
  readonly brokers: Brokers;
  address(listener: 'client' | 'sasl' | 'tls' | 'mutual'): string;
  /** A PEM file of the test's authority: `ca.pem`, `client.pem`, `client.key`. */
  file(name: string): string;
  readonly admin: { readonly username: string; readonly password: string };
}

const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
const PLAIN =
  'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="alice-secret" user_mallory="mallory-secret";';
const OAUTH =
  'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";';

function settings({ dir, ports }: BrokerContext): Record<string, string | number | boolean> {
  const at = (name: string, port: string): string => `${name}://127.0.0.1:${ports[port]}`;
  const open = [at('PLAINTEXT', 'client'), at('SASL', 'sasl'), at('TLS', 'tls'), at('MUTUAL', 'mutual')].join();
  return {
    listeners: `${open},${at('CONTROLLER', 'controller')}`,
    'advertised.listeners': open,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,MUTUAL:SSL',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'listener.name.sasl.plain.sasl.jaas.config': PLAIN,
    'listener.name.sasl.scram-sha-256.sasl.jaas.config': SCRAM,
    'listener.name.sasl.scram-sha-512.sasl.jaas.config': SCRAM,
    'listener.name.sasl.oauthbearer.sasl.jaas.config': OAUTH,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS;User:alice;User:CN=client',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(dir, 'server.pem'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': join(dir, 'ca.pem'),
    'listener.name.mutual.ssl.client.auth': 'required',
  };
}

/** An authority, a server certificate for 127.0.0.1 and a client certificate, all for a day. */
async function certificates(dir: string): Promise<void> {
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: dir });
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  await openssl('req', '-x509', ...key, '-days', '1', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem');
  for (const [name, subject] of [
    ['server', '/CN=localhost'],
    ['client', '/CN=client'],
  ] as const) {
    await writeFile(join(dir, `${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    await openssl('req', ...key, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', `${name}.ext`];
    await openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`);
  }
  const both = await Promise.all(['server.key', 'server.pem'].map((name) => readFile(join(dir, name))));
  await writeFile(join(dir, 'server.pem'), Buffer.concat(both));
}

export async function startOwnKafka(): Promise<OwnKafka> {
  // given by the environment, it would not be started
  delete process.env['FAIRLEAD_TEST_KAFKA_URL'];
  const { kafka } = (await load('kafka.mjs')) as { kafka: BrokerSpec };
  const { javaCommand } = (await load('java.mjs')) as { javaCommand(): string };
  const { startBrokers } = await import('../../brokers/index.mjs');
  let place: BrokerContext | undefined;
  const prepare = kafka.prepare;
  Object.assign(kafka, {
    ports: [...kafka.ports, 'sasl', 'tls', 'mutual'],
    async prepare(context: BrokerContext) {
      const isFirst = place === undefined;
      place = context;
      if (isFirst) {
        await certificates(context.dir);
        await writeFile(join(context.dir, 'formatted'), ''); // formatted below, with SCRAM users
      }
      await prepare({ ...context, settings: { ...settings(context), ...context.settings } });
      if (!isFirst) return;
      const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((m) => [
        '--add-scram',
        `${m}=[name=alice,password=alice-secret]`,
      ]);
      const file = join(context.dir, 'server.properties');
      const tool = [
        '-cp',
        join(context.jars, '*'),
        'kafka.tools.StorageTool',
        'format',
        '-t',
        'ZmFpcmxlYWQtdGVzdHMtMg',
      ];
      await run(javaCommand(), [...tool, '-c', file, ...scram]);
    },
  });
  const brokers = await startBrokers({ names: ['kafka'] });
  const { dir, ports } = place as unknown as BrokerContext;
  return {
    brokers,
    address: (listener) => `127.0.0.1:${ports[listener]}`,
    file: (name) => join(dir, name),
    admin: { username: 'alice', password: 'alice-secret' },
  };
}

/** The starter scripts are plain JavaScript without declarations of their own. */
function load(file: string): Promise<unknown> {
  return import(new URL(`../../brokers/${file}`, import.meta.url).href);
}
