import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventBytes, rule } from './corpus.ts';

/** What a peer did with the rules and events of the bench. */
export interface PeerResult {
  readonly name: string;
  /** The names of the fields are such that the first of a rule has few values. */
  readonly fewFirst: boolean;
  readonly rules: number;
  /** Events per CPU-second, bytes in. */
  readonly rate: number;
  readonly matchesPerEvent: number;
}

/** A peer that could not be measured, and why. */
export interface PeerSkipped {
  readonly name: string;
  readonly skipped: string;
}

export type PeerRun = PeerResult | PeerSkipped;

/**
 * Both peers walk the fields of an event in the order of their names, so it matters to them, and not to the index, whether
 * the first field that a rule asks for has few values.
 */
type Order = 'few values first' | 'many values first';

interface Files {
  readonly folder: string;
  readonly order: Order;
  readonly events: string;
}

const run = promisify(execFile);
/** From the sources: what is compiled has no Java and no Go in it. */
const programs = fileURLToPath(new URL('../../../bench/rules/peers/', import.meta.url));
const MEASURED_SECONDS = '6';
const TIMEOUT_MS = 600_000;

/** Measures the engines that this machine has toolchains for, with the mixed rules and the same events. */
export async function runPeers(rules: number): Promise<readonly PeerRun[]> {
  const runs: PeerRun[] = [];
  for (const order of ['few values first', 'many values first'] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'fairlead-peers-'));
    try {
      const events = join(folder, 'events');
      const texts = eventBytes('mixed', rules, 10_000, 50).map((bytes) => inOrder(bytes.toString(), order));
      writeFileSync(events, texts.join('\n'));
      const files = { folder, order, events };
      runs.push(
        await attempt('event-ruler', order, rules, () => eventRuler(rules, files)),
        await attempt('quamina', order, rules, () => quamina(rules, files)),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return runs;
}

/** The owner stands in `device`, before `kind`, or else in `tenant`, after it. */
function inOrder(text: string, order: Order): string {
  return order === 'many values first' ? text : text.replaceAll('"device"', '"tenant"');
}

type Measured = Omit<PeerResult, 'name' | 'fewFirst' | 'rules'>;

async function attempt(
  engine: string,
  order: Order,
  rules: number,
  measure: () => Promise<Measured>,
): Promise<PeerRun> {
  const name = `${engine}, ${order}`;
  try {
    return { name, fewFirst: order === 'few values first', rules, ...(await measure()) };
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    return { name, skipped: [message, stdout, stderr].join('\n').replace(/\s+/g, ' ').slice(0, 300) };
  }
}

async function eventRuler(rules: number, { folder, order, events }: Files): Promise<Measured> {
  const jars = join(folder, 'jars');
  const pom = join(programs, 'pom.xml');
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
  await run('mvn', ['-q', '-B', '-f', pom, goal, `-DoutputDirectory=${jars}`], { timeout: TIMEOUT_MS });
  const patterns = writePatterns(rules, folder, order, (pattern) => pattern);
  const source = join(programs, 'EventRuler.java');
  const args = ['-Xmx4g', '-cp', join(jars, '*'), source, patterns, events, MEASURED_SECONDS];
  return JSON.parse((await run('java', args, { timeout: TIMEOUT_MS })).stdout);
}

/** The Go module, or the checkout that `FAIRLEAD_QUAMINA` names. */
async function quamina(rules: number, { folder, order, events }: Files): Promise<Measured> {
  const cwd = join(folder, 'quamina');
  mkdirSync(cwd);
  for (const name of ['go.mod', 'main.go']) copyFileSync(join(programs, 'quamina', name), join(cwd, name));
  const options = { cwd, timeout: TIMEOUT_MS };
  const checkout = process.env['FAIRLEAD_QUAMINA'];
  if (checkout !== undefined)
    await run('go', ['mod', 'edit', `-replace=quamina.net/go/quamina/v2=${checkout}`], options);
  await run('go', ['build', '-mod=mod', '-o', 'peer', '.'], options);
  const patterns = writePatterns(rules, folder, order, withoutSuffix);
  return JSON.parse((await run(join(cwd, 'peer'), [patterns, events, MEASURED_SECONDS], options)).stdout);
}

function writePatterns(rules: number, folder: string, order: Order, spell: (pattern: unknown) => unknown): string {
  const path = join(folder, 'rules');
  const lines = Array.from({ length: rules }, (_, n) =>
    inOrder(JSON.stringify(spell(rule('mixed', 'bytes', n).pattern)), order),
  );
  writeFileSync(path, lines.join('\n'));
  return path;
}

/** Quamina has no `suffix`: a wildcard says the same. */
function withoutSuffix(pattern: unknown): unknown {
  return JSON.parse(JSON.stringify(pattern), (_, value: { readonly suffix?: unknown }) =>
    typeof value?.suffix === 'string' ? { wildcard: `*${value.suffix}` } : value,
  );
}
