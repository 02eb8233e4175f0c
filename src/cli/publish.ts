import { parse } from 'yaml';
import { adapters } from '../adapters/registry.ts';
import { createComponents, environment } from '../components.ts';
import { redactUrl } from '../config/redact.ts';
import type { GatewayConfig, TargetConfig } from '../config/types.ts';
import { FairleadError, messageOf } from '../core/errors.ts';
import { EXIT, ExitError } from './exit.ts';
import { exitFor } from './failure.ts';
import { requireConfig } from './load.ts';
import { type EventOptions, eventMaker } from './outgoing.ts';
import { type Sent, sendAll } from './sending.ts';

export interface PublishOptions extends EventOptions {
  readonly config: string;
  readonly target?: string;
  readonly broker?: string;
  readonly at?: readonly string[];
  readonly count: number;
  /** Milliseconds. */
  readonly timeout: number;
}

/** `fairlead publish`: sends events past all routes and waits until each is confirmed; their ids go to stdout. */
export async function publish(options: PublishOptions): Promise<void> {
  const config = requireConfig(options.config);
  const entry = targetOf(config, options);
  const make = eventMaker(options);
  const only = { ...config, sources: [], targets: [entry], routes: [] };
  const parts = createComponents(only, environment({ adapters }));
  const [target] = parts.targets.values();
  if (target === undefined) throw new Error('no target was made');
  let sent: Sent;
  try {
    sent = await sendAll(target, make, options.count, options.timeout, (id) => process.stdout.write(`${id}\n`));
  } finally {
    await Promise.allSettled([target.close()]);
    await Promise.allSettled([...parts.brokers.values()].map((broker) => broker.close()));
  }
  process.stderr.write(`${sent.confirmed} of ${options.count} confirmed by ${entry.name} (${entry.kind})\n`);
  const { failure } = sent;
  if (failure === undefined) return;
  const otherwise = sent.confirmed > 0 ? EXIT.partial : failure.unavailable ? EXIT.unreachable : EXIT.runtime;
  throw new ExitError(exitFor([failure.code], otherwise), `${failure.code}: ${redactUrl(failure.message)}`);
}

function targetOf(config: GatewayConfig, options: PublishOptions): TargetConfig {
  if ((options.target === undefined) === (options.broker === undefined)) {
    throw new ExitError(EXIT.usage, 'name a --target, or a --broker with --at field=value');
  }
  if (options.target !== undefined) {
    const found = config.targets.find(({ name }) => name === options.target);
    if (found !== undefined) return found;
    const known = config.targets.map(({ name }) => name).join(', ');
    throw new ExitError(EXIT.usage, `there is no target "${options.target}"; there are: ${known}`);
  }
  return placeOf(config, options.broker as string, options.at ?? []);
}

/** A target made of `--at` fields, checked by the adapter's own schema. */
function placeOf(config: GatewayConfig, name: string, at: readonly string[]): TargetConfig {
  const broker = config.brokers.find((entry) => entry.name === name);
  const known = config.brokers.map((entry) => entry.name).join(', ');
  if (broker === undefined) throw new ExitError(EXIT.usage, `there is no broker "${name}"; there are: ${known}`);
  const schema = adapters.find(({ type }) => type === broker.kind)?.target?.schema;
  if (schema === undefined) throw new ExitError(EXIT.usage, `nothing can be sent to a ${broker.kind} broker`);
  const { encoding, ...fields } = fieldsOf(at);
  const parsed = schema.safeParse(fields);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) => `${['--at', ...path].join(' ')}: ${message}`);
    throw new ExitError(EXIT.usage, mistakes.join('\n'));
  }
  const adapter = { ...parsed.data, headers: 'pass', ...(encoding === undefined ? {} : { encoding }) };
  const bounds = { maxEvents: 10_000, maxBytes: 2 ** 24 };
  const delivery = {
    retry: 0,
    backoff: { policy: 'exponential' as const, delayMs: 200, maxMs: 1_000 },
    retryAfterMaxMs: 1_000,
    timeoutMs: 30_000,
  };
  const common = { labels: {}, policies: [], batch: {}, delivery, lane: bounds, adapter };
  return { name: `${name}-publish`, kind: broker.kind, broker: name, ...common };
}

/** `topic=orders qos=1` → `{ topic: 'orders', qos: 1 }`; values are read as YAML, as in the file. */
function fieldsOf(at: readonly string[]): Record<string, unknown> {
  try {
    return Object.fromEntries(
      at.map((pair) => [pair.slice(0, pair.indexOf('=')), parse(pair.slice(pair.indexOf('=') + 1))]),
    );
  } catch (cause) {
    throw new FairleadError({ code: 'E_CONFIG_YAML', message: `--at: ${messageOf(cause)}`, cause });
  }
}
