import { expect, test } from 'vitest';
import { type LoadedModel, ModelSlot } from '../../src/models/slot.ts';

interface Fake extends LoadedModel {
  closed: boolean;
}

function fake(sha: string): Fake {
  const model: Fake = {
    sha,
    closed: false,
    score: (_features, rows) => new Float32Array(rows * 3),
    close: async () => {
      model.closed = true;
    },
  };
  return model;
}

const later = (model: LoadedModel) => async (): Promise<LoadedModel> => model;

test('a model is loaded beside the one in force; a swap exchanges them; the one before is kept', async () => {
  const slot = new ModelSlot();
  const [one, two, three] = [fake('1'), fake('2'), fake('3')];
  await slot.load(later(one));
  expect(slot.current).toBeUndefined();
  expect(slot.swap()).toBe(one);
  expect(slot.swap()).toBeUndefined();
  await slot.load(later(two));
  slot.swap();
  expect([slot.current, slot.previous, one.closed]).toEqual([two, one, false]);
  await slot.load(later(three));
  slot.swap();
  expect([slot.current, slot.previous, one.closed]).toEqual([three, two, true]);
  expect(slot.rollback()).toBe(two);
  expect(three.closed).toBe(true);
  expect(slot.rollback()).toBeUndefined();
  expect(slot.current).toBe(two);
  await slot.close();
  expect(two.closed).toBe(true);
});

test('a load that fails changes nothing', async () => {
  const slot = new ModelSlot();
  await slot.load(later(fake('1')));
  slot.swap();
  await expect(slot.load(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(slot.swap()).toBeUndefined();
  expect(slot.current?.sha).toBe('1');
});

test('the model that was asked for last wins, whichever is loaded first', async () => {
  const slot = new ModelSlot();
  const [slow, quick] = [fake('slow'), fake('quick')];
  let finish: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const first = slot.load(() => gate.then(() => slow));
  await slot.load(later(quick));
  finish();
  await expect(first).rejects.toMatchObject({ code: 'E_MODEL_SUPERSEDED' });
  expect([slot.staged, slow.closed]).toEqual([quick, true]);
});
