import { adapters } from '../adapters/registry.ts';
import { environment } from '../components.ts';
import type { GatewayConfig } from '../config/types.ts';
import { DryRun, type DryRunLine } from '../dry-run.ts';
import { createLog } from '../observability/log.ts';
import { answered } from './answered.ts';
import { positionText } from './dlq.ts';
import { EXIT, ExitError } from './exit.ts';
import { exitFor } from './failure.ts';
import { requireConfig } from './load.ts';
import { Stopping } from './stopping.ts';
import { paint, printable } from './terminal.ts';

/** The options of `fairlead run` that a dry run heeds. */
export interface DryRunCommand {
  readonly config: string;
  readonly logLevel?: GatewayConfig['log']['level'];
  readonly limit?: number;
  readonly output: 'text' | 'json';
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 100_000;
const CHECK_TIMEOUT_MS = 15_000;

/** `fairlead run --dry-run`: says of the next events what would become of each, on stdout. */
export async function dryRun(options: DryRunCommand): Promise<void> {
  const { limit = DEFAULT_LIMIT } = options;
  if (limit < 1 || limit > MAX_LIMIT) throw new ExitError(EXIT.usage, `--limit is from 1 to ${MAX_LIMIT}`);
  const config = requireConfig(options.config);
  const log = createLog(options.logLevel ?? 'warn');
  const tell = (text: string): boolean => process.stderr.write(`${text}\n`);
  const stopping = new Stopping(() => tell('stopping'));
  const counts = { events: 0, unmatched: 0, poison: 0 };
  const run = new DryRun(config, environment({ adapters, log }), {
    limit,
    onLine(line) {
      counts.events += 1;
      if (line.poison !== undefined) counts.poison += 1;
      else if (line.unmatched !== undefined) counts.unmatched += 1;
      process.stdout.write(options.output === 'json' ? `${JSON.stringify(line)}\n` : lineText(line));
    },
    onEnd: () => stopping.request(EXIT.ok),
    onFatal(error) {
      tell(`${error.code}: ${printable(error.message)}`);
      stopping.request(EXIT.runtime);
    },
  });
  tell(`dry run: up to ${limit} events are explained; nothing is sent, settled or stored`);
  for (const note of run.notes) tell(`  ${printable(note)}`);
  const checking = checkTargets(run, tell);
  run.start();
  const code = await stopping.code;
  await run.close();
  stopping.dispose();
  const { events, unmatched, poison } = counts;
  tell(`${events} explained, ${unmatched} unmatched, ${poison} poison`);
  if (code !== EXIT.ok) throw new ExitError(code, '');
  const failed = await checking;
  if (failed.length > 0) throw new ExitError(exitFor(failed, EXIT.unreachable), 'not every target would work');
}

/** Says what is wrong with targets; gives the codes. Nothing is sent. */
async function checkTargets(run: DryRun, tell: (text: string) => void): Promise<readonly (string | undefined)[]> {
  const asked = [...run.targets].map(async ([name, target]) => {
    const failed = (await answered(target, CHECK_TIMEOUT_MS)).filter(({ ok }) => !ok);
    for (const { what, code, message } of failed) {
      tell(printable(`target ${name}: ${what}: ${[code, message].filter((part) => part !== undefined).join(': ')}`));
    }
    return failed.map(({ code }) => code);
  });
  return (await Promise.all(asked)).flat();
}

/** `orders  topic=orders partition=0 offset=17  com.acme.order 4711 of /shop  fulfilment → shipping, fulfilment → billing`. */
function lineText(line: DryRunLine): string {
  const { dim, bad } = paint(process.stdout);
  const where = `${line.source}  ${dim(printable(positionText(line.position)))}`;
  if (line.poison !== undefined) {
    return `${where}  ${bad(`poison, dead-lettered: ${line.poison.code}: ${printable(line.poison.message)}`)}\n`;
  }
  const { event, legs, unmatched } = line;
  const planned = legs.map(({ route, target, held, error }) => {
    const what = error === undefined ? (held === true ? ' (held)' : '') : ` (dead-lettered: ${error.code})`;
    return `${route} → ${target}${what}`;
  });
  const end = unmatched === undefined || unmatched === 'send' ? planned.join(', ') : bad(`unmatched: ${unmatched}`);
  return `${where}  ${printable(`${event.type} ${event.id} of ${event.source}`)}  ${end}\n`;
}
