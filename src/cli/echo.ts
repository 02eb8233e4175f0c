import { stringify } from 'yaml';
import { readConfig, refusal } from './load.ts';

/** `fairlead echo`: the configuration with references resolved and defaults in, secrets as `***`. */
export async function echo(options: { readonly config: string; readonly output: 'yaml' | 'json' }): Promise<void> {
  const { echo: shown, findings } = readConfig(options.config);
  if (shown === undefined) throw refusal(options.config, findings);
  process.stdout.write(options.output === 'json' ? `${JSON.stringify(shown, null, 2)}\n` : stringify(shown));
}
