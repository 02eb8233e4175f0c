import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { adapters } from '../adapters/registry.ts';
import { decodeJson } from '../cloudevents/json.ts';
import { environment } from '../components.ts';
import type { GatewayConfig } from '../config/types.ts';
import { codeOf } from '../core/errors.ts';
import { parseTimestamp } from '../core/timestamp.ts';
import { Deciding } from '../deciding.ts';
import { Explainer, type Explanation } from '../explaining.ts';
import { EXIT, ExitError } from './exit.ts';
import { explanationText } from './explanation.ts';
import { requireConfig } from './load.ts';

export interface ExplainOptions {
  readonly config: string;
  readonly source?: string;
  readonly now?: string;
  readonly telemetry?: string;
  readonly model?: string;
  readonly features?: boolean;
  readonly output: 'table' | 'json' | 'yaml';
}

/**
 * `fairlead explain EVENT`: what the configuration would do with an event, route by route, and which target its choices would
 * take by what was recorded last. Connects to no broker.
 */
export async function explain(file: string, options: ExplainOptions): Promise<void> {
  const config = requireConfig(options.config);
  const sources = sourcesOf(config, options.source);
  const event = decodeJson(readEvent(file));
  const now = moment(options.now);
  const env = environment({ adapters });
  const { telemetry, model, features = false } = options;
  const explainer = new Explainer(config, env, new Deciding(config, env, { telemetry, model }));
  const explanations: Explanation[] = [];
  try {
    for (const source of sources) explanations.push(await explainer.explain(event, source, now));
  } finally {
    await explainer.close();
  }
  if (options.output === 'json') process.stdout.write(`${JSON.stringify(explanations, null, 2)}\n`);
  else if (options.output === 'yaml') process.stdout.write(stringify(explanations));
  else process.stdout.write(explanations.map((one) => explanationText(one, features)).join('\n'));
}

/** The source asked for, or all of them. */
function sourcesOf({ sources }: GatewayConfig, wanted: string | undefined): readonly string[] {
  const known = sources.map(({ name }) => name);
  if (wanted === undefined) return known;
  if (!known.includes(wanted)) {
    throw new ExitError(EXIT.usage, `there is no source "${wanted}": known: ${known.join(', ')}`);
  }
  return [wanted];
}

function readEvent(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new ExitError(EXIT.usage, `cannot read ${file === '-' ? 'stdin' : file}: ${codeOf(error) ?? String(error)}`);
  }
}

function moment(text: string | undefined): number {
  if (text === undefined) return Date.now();
  const ms = parseTimestamp(text);
  if (ms === undefined)
    throw new ExitError(EXIT.usage, '--now: expected an RFC 3339 timestamp, e.g. 2026-08-01T06:00:00Z');
  return ms;
}
