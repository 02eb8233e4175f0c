import { type ExplainedDecision, lastDecisions } from '../telemetry/explain-decisions.ts';
import { candidateTable, featureTable, figure, type ShownCandidate } from './candidate-table.ts';
import { EXIT, ExitError } from './exit.ts';
import { requireConfig } from './load.ts';
import { paint, printable } from './terminal.ts';

export interface DecisionsOptions {
  readonly config: string;
  readonly telemetry?: string;
  readonly choice?: string;
  readonly last: number;
  readonly features?: boolean;
  readonly output: 'text' | 'json';
}

/** `fairlead decisions`: the last recorded decisions, each with what was known of its candidates. */
export async function decisions(options: DecisionsOptions): Promise<void> {
  const directory = options.telemetry ?? directoryOf(options.config);
  const found = await lastDecisions(directory, { count: options.last, choice: options.choice });
  if (options.output === 'json') process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else process.stdout.write(found.map((decision) => text(decision, options.features === true)).join('\n'));
  if (found.length === 0) process.stderr.write(`no decisions in ${directory}\n`);
}

function directoryOf(file: string): string {
  const { telemetry } = requireConfig(file);
  if (telemetry !== undefined) return telemetry.path;
  throw new ExitError(EXIT.config, `${file} has no section telemetry, so nothing is recorded; or name a --telemetry`);
}

function text(decision: ExplainedDecision, all: boolean): string {
  const { bold, dim } = paint(process.stdout);
  const { ts, choice, chosen, route, by, policy, propensity, explored, attempt, bytes, inFlight, model } = decision;
  const head = `${new Date(ts).toISOString()}  ${choice} → ${chosen}  ${outcome(decision)}`;
  const parts = [
    `route ${route}`,
    `by ${by} (${policy})`,
    `propensity ${figure(propensity)}`,
    ...(explored ? ['explored'] : []),
    `attempt ${attempt}`,
    `${bytes} bytes`,
    `${inFlight} in flight`,
    ...(model === undefined ? ['no model'] : [`model ${model.slice(0, 12)}`]),
  ];
  const lines = [bold(printable(head)), dim(`  ${printable(parts.join(', '))}`)];
  const candidates = shown(decision);
  const nothing = '  nothing was known of the candidates yet\n';
  const known = candidates.length === 0 ? nothing : all ? featureTable(candidates) : candidateTable(candidates);
  return `${lines.join('\n')}\n${known}`;
}

function outcome({ outcome: what, ackMs }: ExplainedDecision): string {
  return ackMs === undefined ? what : `${what} in ${figure(ackMs)} ms`;
}

function shown({ candidates, chosen }: ExplainedDecision): readonly ShownCandidate[] {
  return candidates.map((one) => ({ ...one, mark: one.target === chosen ? '✔' : one.eligible ? ' ' : '·' }));
}
