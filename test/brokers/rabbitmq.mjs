import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './packages.mjs';
import { probeRabbitmq } from './probes.mjs';

// The wrapper that Debian puts on the PATH switches to the user "rabbitmq" and to the system's
// folders; this is the server's own script, which replaces itself by the Erlang VM.
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** @param {import('./spec.mjs').BrokerContext} context */
function configuration({ ports, settings }) {
  return Object.entries({
    'listeners.tcp.1': `127.0.0.1:${ports['client']}`,
    'tcp_listen_options.nodelay': true,
    'tcp_listen_options.backlog': 1024,
    'vm_memory_high_watermark.absolute': '1GB',
    'disk_free_limit.absolute': '50MB',
    'log.file': false,
    'log.console': true,
    'log.console.level': 'warning',
    ...settings,
  })
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

/** @param {import('./spec.mjs').BrokerContext} context */
function environment({ dir, ports }) {
  return {
    HOME: dir, // where the Erlang cookie is kept
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(ports['epmd']),
    RABBITMQ_NODENAME: 'fairlead@localhost', // unique to the port mapper, which is the node's own
    RABBITMQ_DIST_PORT: String(ports['distribution']),
    RABBITMQ_BASE: dir,
    RABBITMQ_MNESIA_BASE: join(dir, 'data'),
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_PID_FILE: join(dir, 'pid'),
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
    RABBITMQ_CONFIG_FILES: join(dir, 'conf.d'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'advanced.config'),
    RABBITMQ_CONF_ENV_FILE: join(dir, 'env.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 2:2 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}',
    RUNNING_UNDER_SYSTEMD: 'true', // makes the script exec the VM: one process, one pid
  };
}

/** @type {import('./spec.mjs').BrokerSpec} */
export const rabbitmq = {
  name: 'rabbitmq',
  variable: 'FAIRLEAD_TEST_RABBITMQ_URL',
  programs: [
    { program: 'rabbitmq-server', package: 'rabbitmq-server' },
    { program: 'epmd', package: 'erlang-base' },
  ],
  ports: ['client', 'distribution', 'epmd'],
  url: (ports) => `amqp://guest:guest@127.0.0.1:${ports['client']}`,

  async prepare(context) {
    const { dir } = context;
    await mkdir(join(dir, 'conf.d'), { recursive: true });
    await writeFile(join(dir, 'rabbitmq.conf'), configuration(context));
    await writeFile(join(dir, 'env.conf'), '');
    await writeFile(join(dir, 'enabled_plugins'), '[].\n');
  },

  commands: (context) => {
    const env = environment(context);
    const port = context.ports['epmd'] ?? 0;
    return [
      // Run here, in the foreground: a node that finds none starts one that outlives it.
      { id: 'epmd', command: findProgram('epmd') ?? 'epmd', args: ['-port', String(port)], env, awaitPort: port },
      { id: 'rabbitmq', command: SERVER, args: [], env },
    ];
  },

  probe: probeRabbitmq,
};
