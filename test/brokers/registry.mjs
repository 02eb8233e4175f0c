import { join } from 'node:path';
import { JAVA_PROGRAMS, javaCommand } from './java.mjs';
import { probeRegistry } from './probes.mjs';

/**
 * Apicurio Registry: a schema registry whose `ccompat` API is that of Confluent's. Only the tests of the Kafka source want it,
 * so it is started where it is named. Its schemas stand in a file, so that they survive a restart.
 * @type {import('./spec.mjs').BrokerSpec}
 */
export const registry = {
  name: 'registry',
  variable: 'FAIRLEAD_TEST_REGISTRY_URL',
  programs: JAVA_PROGRAMS,
  pom: 'registry',
  unpack: true,
  onDemand: true,
  ports: ['client'],
  url: (ports) => `http://127.0.0.1:${ports['client']}/apis/ccompat/v7`,

  async prepare() {},

  commands: ({ dir, ports, jars }) => [
    {
      id: 'registry',
      command: javaCommand(),
      args: [
        '-Xmx384m',
        '-XX:TieredStopAtLevel=1',
        '-Dquarkus.http.host=127.0.0.1',
        `-Dquarkus.http.port=${ports['client']}`,
        '-Dapicurio.datasource.jdbc.min-size=1',
        '-Dapicurio.datasource.jdbc.initial-size=1',
        `-Dapicurio.datasource.url=jdbc:h2:file:${join(dir, 'schemas')}`,
        '-jar',
        join(jars, 'apicurio-registry-app-3.0.9-runner.jar'),
      ],
    },
  ],

  probe: probeRegistry,
};
