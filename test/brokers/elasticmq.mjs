import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JAVA_PROGRAMS, javaCommand } from './java.mjs';
import { probeElasticmq } from './probes.mjs';

/**
 * Messages are stored on disk, so that they survive a restart as they do in SQS; the limits are
 * those of SQS (10 messages in a batch, 1 MiB in a message), so that what passes here passes there.
 * `settings` may change either: `{ 'messages-storage.enabled': false, 'rest-sqs.sqs-limits': 'relaxed' }`.
 * @param {import('./spec.mjs').BrokerContext} context
 */
function configuration({ dir, ports, settings }) {
  const port = ports['client'] ?? 0;
  return Object.entries({
    'node-address.protocol': 'http',
    'node-address.host': '127.0.0.1',
    'node-address.port': port,
    'node-address.context-path': '',
    'generate-node-address': false,
    'rest-sqs.enabled': true,
    'rest-sqs.bind-hostname': '127.0.0.1',
    'rest-sqs.bind-port': port,
    'rest-sqs.sqs-limits': 'strict',
    'rest-stats.enabled': false,
    'aws.region': 'us-east-1',
    'aws.accountId': '000000000000',
    'messages-storage.enabled': true,
    'messages-storage.driver-class-name': 'org.h2.Driver',
    'messages-storage.uri': `jdbc:h2:${join(dir, 'messages')}`,
    'messages-storage.username': 'sa',
    'messages-storage.password': '',
    'messages-storage.prune-data-on-init': false,
    'pekko.http.server.max-connections': 4096,
    'pekko.http.server.idle-timeout': '120 s',
    'pekko.http.server.parsing.max-content-length': '64m',
    ...settings,
  })
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join('');
}

/** @type {import('./spec.mjs').BrokerSpec} */
export const elasticmq = {
  name: 'elasticmq',
  variable: 'FAIRLEAD_TEST_SQS_URL',
  programs: JAVA_PROGRAMS,
  pom: 'elasticmq',
  ports: ['client'],
  url: (ports) => `http://127.0.0.1:${ports['client']}`,

  async prepare(context) {
    const text = `include classpath("application.conf")\nqueues {}\n${configuration(context)}`;
    await writeFile(join(context.dir, 'elasticmq.conf'), text);
  },

  commands: ({ dir, jars }) => [
    {
      id: 'elasticmq',
      command: javaCommand(),
      args: [
        '-Xmx256m',
        '-XX:TieredStopAtLevel=1',
        `-Dconfig.file=${join(dir, 'elasticmq.conf')}`,
        '-cp',
        join(jars, '*'),
        'org.elasticmq.server.Main',
      ],
    },
  ],

  probe: probeElasticmq,
};
