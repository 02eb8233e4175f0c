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
  readonly rules: number;
  /** Events per CPU-second, body in. */
  readonly rate: number;
  readonly matchesPerEvent: number;
}

/** A peer that could not be measured, and why. */
export interface PeerSkipped {
  readonly name: string;
  readonly skipped: string;
}

export type PeerRun = PeerResult | PeerSkipped;

interface Files {
  readonly folder: string;
  readonly events: string;
}

const run = promisify(execFile);
/** From the sources: what is compiled has no Java and no Go in it. */
const programs = fileURLToPath(new URL('../../../bench/rules/peers/', import.meta.url));
const MEASURED_SECONDS = '6';
const TIMEOUT_MS = 600_000;

/** Measures the engines that this machine has toolchains for, with the mixed rules and the bodies of the same events. */
export async function runPeers(rules: number): Promise<readonly PeerRun[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-peers-'));
  try {
    const events = join(folder, 'events');
    const bodies = eventBytes('mixed', rules, 10_000, 50).map((bytes) => {
      const { data } = JSON.parse(bytes.toString()) as { readonly data: unknown };
      return JSON.stringify({ data });
    });
    writeFileSync(events, bodies.join('\n'));
    const files = { folder, events };
    return [
      await attempt('event-ruler', rules, () => eventRuler(rules, files)),
      await attempt('quamina', rules, () => quamina(rules, files)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Measured = Omit<PeerResult, 'name' | 'rules'>;

async function attempt(name: string, rules: number, measure: () => Promise<Measured>): Promise<PeerRun> {
  try {
    return { name, rules, ...(await measure()) };
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    return { name, skipped: [message, stdout, stderr].join('\n').replace(/\s+/g, ' ').slice(0, 300) };
  }
}

async function eventRuler(rules: number, { folder, events }: Files): Promise<Measured> {
  const jars = join(folder, 'jars');
  const pom = join(programs, 'pom.xml');
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
  await run('mvn', ['-q', '-B', '-f', pom, goal, `-DoutputDirectory=${jars}`], { timeout: TIMEOUT_MS });
  const patterns = writePatterns(rules, folder, (pattern) => pattern);
  const source = join(programs, 'EventRuler.java');
  const args = ['-Xmx4g', '-cp', join(jars, '*'), source, patterns, events, MEASURED_SECONDS];
  return JSON.parse((await run('java', args, { timeout: TIMEOUT_MS })).stdout);
}

/** The Go module, or the checkout that `FAIRLEAD_QUAMINA` names. */
async function quamina(rules: number, { folder, events }: Files): Promise<Measured> {
  const cwd = join(folder, 'quamina');
  mkdirSync(cwd);
  for (const name of ['go.mod', 'main.go']) copyFileSync(join(programs, 'quamina', name), join(cwd, name));
  const options = { cwd, timeout: TIMEOUT_MS };
  const checkout = process.env['FAIRLEAD_QUAMINA'];
  if (checkout !== undefined)
    await run('go', ['mod', 'edit', `-replace=quamina.net/go/quamina/v2=${checkout}`], options);
  await run('go', ['build', '-mod=mod', '-o', 'peer', '.'], options);
  const patterns = writePatterns(rules, folder, withoutSuffix);
  return JSON.parse((await run(join(cwd, 'peer'), [patterns, events, MEASURED_SECONDS], options)).stdout);
}

function writePatterns(rules: number, folder: string, spell: (pattern: unknown) => unknown): string {
  const path = join(folder, 'rules');
  const lines = Array.from({ length: rules }, (_, n) => JSON.stringify(spell(rule('mixed', 'bytes', n).pattern)));
  writeFileSync(path, lines.join('\n'));
  return path;
}

/** Quamina has no `suffix`: a wildcard says the same. */
function withoutSuffix(pattern: unknown): unknown {
  return JSON.parse(JSON.stringify(pattern), (_, value: { readonly suffix?: unknown }) =>
    typeof value?.suffix === 'string' ? { wildcard: `*${value.suffix}` } : value,
  );
}
