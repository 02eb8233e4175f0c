import { adapters } from '../../src/adapters/registry.ts';
import type { AdapterSpec } from '../../src/adapters/spec.ts';
import { formatFinding } from '../../src/config/finding.ts';
import { type LoadResult, loadConfig } from '../../src/config/load.ts';

/** Files that `${file:…}` finds in tests. */
const FILES: Readonly<Record<string, string>> = {
  '/run/secrets/token': 'canary-from-a-file\n',
  '/run/secrets/two-lines': 'one\ntwo\n\n',
};

export interface Surrounded {
  readonly env?: Readonly<Record<string, string>>;
  readonly adapters?: readonly AdapterSpec[];
}

/** Loads a text as `test.yaml`, with the given environment. */
export function load(text: string, { env = {}, adapters: list = adapters }: Surrounded = {}): LoadResult {
  return loadConfig(text, {
    adapters: list,
    env,
    file: 'test.yaml',
    readFile(path) {
      const found = FILES[path];
      if (found === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return found;
    },
  });
}

/** The findings as they are printed. */
export function lines(result: LoadResult): string[] {
  return result.findings.map(formatFinding);
}

/** A whole configuration over the memory adapter; `change` replaces parts of its text. */
export function memoryConfig(change: Readonly<Record<string, string>> = {}): string {
  const text = `version: 1
brokers:
  mem: { type: memory }
sources:
  in: { broker: mem, topic: in }
targets:
  out: { broker: mem, topic: out }
routes:
  - name: all
    from: [in]
    to: [out]
    delivery: { deadLetter: { store: true } }
unmatched: dead-letter
`;
  return Object.entries(change).reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`"${from}" is not in the configuration`);
    return changed.replace(from, to);
  }, text);
}
