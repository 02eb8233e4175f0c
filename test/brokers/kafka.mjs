import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { JAVA_PROGRAMS, javaCommand } from './java.mjs';
import { probeKafka } from './probes.mjs';

const run = promisify(execFile);
const CLUSTER_ID = 'ZmFpcmxlYWQtdGVzdHMtMQ';

/**
 * One node that is broker and controller. Session timeouts may be short, so that tests that kill a
 * consumer need not wait long, and the internal topics are small, so that the first group is quick.
 * In `settings`, `{client}` and `{controller}` stand for the ports.
 * @param {import('./spec.mjs').BrokerContext} context
 */
function properties({ dir, ports, settings }) {
  const broker = `PLAINTEXT://127.0.0.1:${ports['client']}`;
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports['controller']}`,
    listeners: `${broker},CONTROLLER://127.0.0.1:${ports['controller']}`,
    'advertised.listeners': broker,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(dir, 'data'),
    'num.partitions': 4,
    'auto.create.topics.enable': true,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 4,
    // A killed node may not come back before its old session is over: 9 s by default.
    'broker.session.timeout.ms': 4000,
    'broker.heartbeat.interval.ms': 500,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'group.consumer.min.session.timeout.ms': 1000,
    'group.consumer.min.heartbeat.interval.ms': 300,
    ...settings,
  })
    .map(([key, value]) => `${key}=${withPorts(String(value), ports)}\n`)
    .join('');
}

/**
 * @param {string} text
 * @param {Record<string, number>} ports
 */
function withPorts(text, ports) {
  return text.replace(/\{(client|controller)\}/g, (_, name) => String(ports[name]));
}

/** @type {import('./spec.mjs').BrokerSpec} */
export const kafka = {
  name: 'kafka',
  variable: 'FAIRLEAD_TEST_KAFKA_URL',
  programs: JAVA_PROGRAMS,
  pom: 'kafka',
  ports: ['client', 'controller'],
  url: (ports) => `kafka://127.0.0.1:${ports['client']}`,

  async prepare(context) {
    const { dir, jars } = context;
    const file = join(dir, 'server.properties');
    await writeFile(file, properties(context));
    const formatted = join(dir, 'formatted');
    if (existsSync(formatted)) return;
    await rm(join(dir, 'data'), { recursive: true, force: true });
    const options = ['-XX:TieredStopAtLevel=1', ...logging(), '-cp', join(jars, '*')];
    await run(javaCommand(), [...options, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file]);
    await writeFile(formatted, '');
  },

  commands: ({ dir, jars }) => [
    {
      id: 'kafka',
      command: javaCommand(),
      args: [
        '-Xms256m',
        '-Xmx512m',
        '-XX:+UseG1GC',
        ...logging(),
        '-cp',
        join(jars, '*'),
        'kafka.Kafka',
        join(dir, 'server.properties'),
      ],
    },
  ],

  probe: probeKafka,
};

function logging() {
  return [`-Dlog4j2.configurationFile=${fileURLToPath(new URL('log4j2.properties', import.meta.url))}`];
}
