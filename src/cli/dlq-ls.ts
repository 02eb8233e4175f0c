import type { DeadLetterQuery, DeadLetterSummary } from '../store/dead-letters.ts';
import { positionText, readingStore, type StoreOptions } from './dlq.ts';
import { paint, printable, table } from './terminal.ts';

export type DlqListOptions = StoreOptions & DeadLetterQuery & { readonly output: 'table' | 'json' };

const HEAD = ['ID', 'AT', 'CODE', 'ATTEMPTS', 'SOURCE', 'ROUTE', 'TARGET', 'POSITION', 'TYPE', 'BYTES'];

/** `fairlead dlq ls`: dead letters oldest first. Where there may be more, stderr names the option for the next page. */
export async function dlqList(options: DlqListOptions): Promise<void> {
  const { limit, after, route, code, source, target } = options;
  await readingStore(options, async (store, directory) => {
    const letters = (await store?.list({ limit, after, route, code, source, target })) ?? [];
    if (options.output === 'json') process.stdout.write(`${JSON.stringify(letters, null, 2)}\n`);
    else if (letters.length > 0) process.stdout.write(letterTable(letters));
    if (letters.length === 0) process.stderr.write(`no dead letters in ${directory}\n`);
    const last = letters.at(-1);
    if (last !== undefined && letters.length >= Math.min(limit, 1000)) {
      process.stderr.write(`there may be more: --after ${last.id}\n`);
    }
  });
}

function letterTable(letters: readonly DeadLetterSummary[]): string {
  const rows = letters.map((letter) =>
    [
      letter.id,
      new Date(letter.at).toISOString(),
      letter.code,
      String(letter.attempts),
      letter.source,
      letter.route ?? '-',
      letter.target ?? '-',
      positionText(letter.position),
      letter.event?.type ?? '(not an event)',
      String(letter.bytes),
    ].map(printable),
  );
  const [head = '', ...lines] = table([HEAD, ...rows], [0, 3, 9]).split('\n');
  return [paint(process.stdout).bold(head), ...lines].join('\n');
}
