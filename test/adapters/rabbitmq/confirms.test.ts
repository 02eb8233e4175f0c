import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Confirms, type Publication } from '../../../src/adapters/rabbitmq/confirms.ts';
import { CONFIRMED, type SendResult } from '../../../src/core/target.ts';

const failure = (code: string): SendResult => ({ status: 'failed', code, message: code, retryable: true });

/** Publishes a batch whose legs are taken or refused as the flags say. */
function publish(confirms: Confirms, taken: readonly boolean[]): Publication {
  const publication = confirms.begin(taken.length);
  taken.forEach((flag, index) => {
    if (flag) confirms.published(publication, index);
    else publication.refused(index, failure('REFUSED'));
  });
  confirms.seal(publication);
  return publication;
}

describe('Confirms', () => {
  test('acks in any order, single and multiple, find their legs across batches', async () => {
    const confirms = new Confirms();
    const first = publish(confirms, [true, false, true]);
    const second = publish(confirms, [true, true]);
    confirms.settle(3, false);
    confirms.settle(1, false, failure('NACKED'));
    expect(confirms.outstanding).toBe(2);
    confirms.settle(4, true);
    expect(await first.done).toEqual([failure('NACKED'), failure('REFUSED'), CONFIRMED]);
    expect(await second.done).toEqual([CONFIRMED, CONFIRMED]);
    expect(confirms.outstanding).toBe(0);
  });

  test('a batch of which nothing was published answers at once', async () => {
    const confirms = new Confirms();
    expect(await publish(confirms, [false, false]).done).toEqual([failure('REFUSED'), failure('REFUSED')]);
    expect(await publish(confirms, []).done).toEqual([]);
    expect(await Promise.race([publish(confirms, [true]).done, 'open'])).toBe('open');
  });

  test('a returned leg has failed although its ack comes', async () => {
    const confirms = new Confirms();
    const publication = publish(confirms, [true, true, true]);
    const any = (): boolean => true;
    expect(confirms.returned(any, failure('A'))).toBe(true);
    expect(confirms.returned(any, failure('B'))).toBe(true);
    confirms.settle(3, true);
    expect(await publication.done).toEqual([failure('A'), failure('B'), CONFIRMED]);
    expect(confirms.returned(any, failure('C'))).toBe(false);
  });

  test('abandoned for good: every outstanding leg has the result, the settled ones keep theirs', async () => {
    const confirms = new Confirms();
    const publication = publish(confirms, [true, true]);
    confirms.settle(1, false);
    confirms.abandon(failure('LOST'));
    expect(await publication.done).toEqual([CONFIRMED, failure('LOST')]);
    expect(confirms.outstanding).toBe(0);
  });

  test('whatever the broker answers in whatever order, each leg gets its own result', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.boolean(), { maxLength: 8 }), { maxLength: 8 }),
        fc.array(fc.record({ pick: fc.nat(), multiple: fc.boolean(), nack: fc.boolean() }), { maxLength: 40 }),
        async (batches, answers) => {
          const confirms = new Confirms();
          const publications = batches.map((taken) => publish(confirms, taken));
          const total = batches.flat().filter(Boolean).length;
          const model: (SendResult | undefined)[] = new Array(total).fill(undefined);
          const open = (): number[] => model.flatMap((result, at) => (result === undefined ? [at + 1] : []));
          for (const { pick, multiple, nack } of [...answers, { pick: -1, multiple: true, nack: false }]) {
            const tag = open().at(pick < 0 ? -1 : pick % Math.max(1, open().length));
            if (tag === undefined) break;
            const result = nack ? failure('NACKED') : CONFIRMED;
            for (const one of multiple ? open().filter((each) => each <= tag) : [tag]) model[one - 1] = result;
            confirms.settle(tag, multiple, nack ? result : undefined);
          }
          expect(confirms.outstanding).toBe(0);
          const results = (await Promise.all(publications.map(({ done }) => done))).flat();
          const published = batches.flat().flatMap((taken, at) => (taken ? [results[at]] : []));
          expect(published).toEqual(model);
        },
      ),
    );
  });
});
