import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adapters } from '../adapters/registry.ts';
import { type Gateway, openGateway } from '../app.ts';
import { type FairleadError, messageOf } from '../core/errors.ts';
import { createLog } from '../observability/log.ts';
import type { GatewayStatus } from '../status.ts';
import { type EmbeddedBroker, startBroker } from './demo/broker.ts';
import { startTraffic } from './demo/traffic.ts';
import { EXIT, ExitError } from './exit.ts';
import { liveSummary } from './live.ts';
import { requireConfig } from './load.ts';
import { Stopping } from './stopping.ts';
import { totalsOf } from './summary.ts';
import { paint } from './terminal.ts';

export interface DemoOptions {
  /** Milliseconds; undefined: until a signal. */
  readonly duration?: number;
  readonly rate: number;
  readonly mqttPort: number;
  readonly httpPort: number;
}

const READY_MS = 20_000;

/** `fairlead demo`: config/demo.yaml with an MQTT broker in this process, traffic, and a live summary. */
export async function demo(options: DemoOptions): Promise<void> {
  const stopping = new Stopping(() => process.stdout.write('\ndraining …\n'));
  const broker = await startBroker(options.mqttPort);
  const store = mkdtempSync(join(tmpdir(), 'fairlead-demo-'));
  process.once('exit', () => rmSync(store, { recursive: true, force: true }));
  try {
    const code = await runDemo(options, broker, store, stopping);
    if (code !== EXIT.ok) throw new ExitError(code, 'the demo was stopped by a failure');
  } finally {
    await broker.close();
    stopping.dispose();
  }
}

async function runDemo(
  options: DemoOptions,
  broker: EmbeddedBroker,
  store: string,
  stopping: Stopping,
): Promise<number> {
  const config = requireConfig(fileURLToPath(new URL('../../config/demo.yaml', import.meta.url)), {
    ...process.env,
    FAIRLEAD_DEMO_MQTT_URL: `mqtt://127.0.0.1:${broker.port}`,
    FAIRLEAD_DEMO_HTTP_PORT: String(options.httpPort),
    FAIRLEAD_DEMO_STORE: store,
  });
  const log = createLog(config.log.level);
  const onFatal = (error: FairleadError): void => {
    process.stderr.write(`${error.code}: ${error.message}\n`);
    stopping.request(EXIT.runtime);
  };
  const gateway = await openGateway(config, { adapters, log }, onFatal);
  gateway.start(onFatal);
  await Promise.race([gateway.ready(READY_MS), stopping.code]);
  const url = ingressUrl(gateway.status());
  process.stdout.write(greeting(broker.port, url, store));
  const stopTraffic = startTraffic({
    rate: options.rate,
    publish: broker.publish,
    postTo: url,
    failed: (what, error) => log.error({ what }, messageOf(error)),
  });
  const stopSummary = liveSummary(() => gateway.status(), process.stdout);
  if (options.duration !== undefined) setTimeout(() => stopping.request(EXIT.ok), options.duration).unref();
  const code = await stopping.code;
  await stopTraffic();
  await gateway.stop();
  stopSummary();
  process.stdout.write(farewell(gateway));
  return code;
}

/** Where the HTTP ingress listens: the configured port, or the next free one. */
function ingressUrl(status: GatewayStatus): string | undefined {
  const url = status.sources.find(({ kind }) => kind === 'http')?.health.detail?.['url'];
  return typeof url === 'string' ? url : undefined;
}

function greeting(mqttPort: number, url: string | undefined, store: string): string {
  const { good, bold, dim } = paint(process.stdout);
  const ok = good('✔');
  const event = '{"specversion":"1.0","id":"1","source":"/me","type":"com.example.hello","data":{"hello":"world"}}';
  return [
    `${ok} MQTT     mqtt://127.0.0.1:${mqttPort} (embedded)`,
    ...(url === undefined ? [] : [`${ok} HTTP in  ${url}`]),
    `${ok} store    ${store} (temporary)`,
    `${bold('DEMO')}: loopback only, no authentication. Ctrl-C stops it.`,
    '',
    dim('# watch what the routes deliver'),
    `mosquitto_sub -h 127.0.0.1 -p ${mqttPort} -t 'fairlead/demo/#' -v`,
    ...(url === undefined
      ? []
      : [
          dim('# send an event of your own: it arrives on fairlead/demo/events'),
          `curl -i ${url} -H 'Content-Type: application/cloudevents+json' -d '${event}'`,
        ]),
    dim('# look at what no route took'),
    `${commandName()} dlq ls --store ${store}`,
    '',
    '',
  ].join('\n');
}

function commandName(): string {
  const script = process.argv[1] ?? 'fairlead';
  return basename(script) === 'main.js' ? `node ${relative('.', script)}` : basename(script);
}

function farewell(gateway: Gateway): string {
  const status = gateway.status();
  const { received, inFlight, deadLettered, legs } = totalsOf(status);
  const confirmed = legs.reduce((sum, leg) => sum + leg.confirmed, 0);
  const accounts = status.balanced ? 'accounts balance' : 'ACCOUNTS DO NOT BALANCE';
  return `received ${received}   confirmed ${confirmed}   dead letters ${deadLettered}   unsettled ${inFlight}   ${accounts}\n`;
}
