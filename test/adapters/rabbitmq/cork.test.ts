import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { corkPerTurn } from '../../../src/adapters/rabbitmq/cork.ts';

test('what is written in one turn goes out together, in order, and the next turn by itself', async () => {
  const out: string[][] = [];
  const text = (chunk: unknown): string => String(chunk);
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      out.push([text(chunk)]);
      done();
    },
    writev: (chunks, done) => {
      out.push(chunks.map(({ chunk }) => text(chunk)));
      done();
    },
  });
  corkPerTurn(stream);
  for (const word of ['a', 'b', 'c']) stream.write(word);
  expect(out).toEqual([]);
  await setImmediate();
  expect(out).toEqual([['a', 'b', 'c']]);
  stream.write('d');
  await setImmediate();
  expect(out).toEqual([['a', 'b', 'c'], ['d']]);
});

test('an end in the same turn still writes what was written before it', async () => {
  const out: string[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      out.push(String(chunk));
      done();
    },
  });
  corkPerTurn(stream);
  stream.write('a');
  stream.end('b');
  await new Promise((resolve) => stream.on('finish', resolve));
  expect(out).toEqual(['a', 'b']);
});
