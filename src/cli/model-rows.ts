import { once } from 'node:events';
import { trainingLines } from '../modelling.ts';

/** `fairlead model rows`: what `model train` would learn from, for other trainers. */
export async function modelRows(options: { readonly data: readonly string[]; readonly ahead: boolean }): Promise<void> {
  for await (const line of trainingLines(options.data, options.ahead)) {
    if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
  }
}
