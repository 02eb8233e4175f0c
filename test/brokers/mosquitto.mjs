import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './packages.mjs';
import { probeMosquitto } from './probes.mjs';

/**
 * Any key can be changed by `settings`, for instance `{ max_inflight_messages: 20 }`.
 * @param {import('./spec.mjs').BrokerContext} context
 */
function configuration({ dir, ports, settings }) {
  const general = {
    allow_anonymous: true,
    persistence: true,
    persistence_location: `${join(dir, 'data')}/`,
    autosave_interval: 2, // seconds: what a SIGKILL can lose
    max_inflight_messages: 1000,
    max_queued_messages: 200_000,
    set_tcp_nodelay: true,
    log_dest: 'stderr',
    log_timestamp_format: '%Y-%m-%dT%H:%M:%S',
    // As root mosquitto would become the user "mosquitto", who cannot write here.
    ...(process.getuid?.() === 0 ? { user: 'root' } : {}),
    ...settings,
  };
  const lines = Object.entries(general).map(([key, value]) => `${key} ${value}\n`);
  return [`listener ${ports['client']} 127.0.0.1\n`, ...lines].join('');
}

/** @type {import('./spec.mjs').BrokerSpec} */
export const mosquitto = {
  name: 'mosquitto',
  variable: 'FAIRLEAD_TEST_MQTT_URL',
  programs: [
    { program: 'mosquitto', package: 'mosquitto' },
    // Not needed by the broker, but by the tests and the examples.
    { program: 'mosquitto_sub', package: 'mosquitto-clients' },
  ],
  ports: ['client'],
  url: (ports) => `mqtt://127.0.0.1:${ports['client']}`,

  async prepare(context) {
    await mkdir(join(context.dir, 'data'), { recursive: true });
    await writeFile(join(context.dir, 'mosquitto.conf'), configuration(context));
  },

  commands: ({ dir }) => [
    { id: 'mosquitto', command: findProgram('mosquitto') ?? 'mosquitto', args: ['-c', join(dir, 'mosquitto.conf')] },
  ],

  probe: probeMosquitto,
};
