import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Dataset } from '../../../src/models/training/dataset.ts';
import type { TrainingJob } from '../../../src/models/training/job.ts';
import { runTraining } from '../../../src/models/training/run.ts';
import { train } from '../../../src/models/training/train.ts';
import { plainSchema, syntheticRows } from '../synthetic.ts';

const schema = plainSchema(6);

function jobOver(data: Dataset, options: TrainingJob['options'] = {}): TrainingJob {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-training-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lines = Array.from({ length: data.rows }, (_, row) => {
    const failed = data.failed[row] === 1;
    return JSON.stringify({
      ts: data.at[row],
      target: data.targets[data.target[row] as number],
      features: [...data.features.subarray(row * 6, row * 6 + 6)],
      failed,
      ...(failed ? {} : { ms: Math.exp(data.logMs[row] as number) }),
    });
  });
  writeFileSync(join(folder, 'rows.ndjson'), lines.join('\n'));
  return { paths: [folder], schema, options, maxRows: 100_000 };
}

test('a process of its own trains what this one would, and tells how far it is', async () => {
  const data = syntheticRows(3_000);
  const heads = new Set<string>();
  const reads: number[] = [];
  const result = await runTraining(jobOver(data, { trees: 8 }), {
    onRead: ({ rows }) => reads.push(rows),
    onProgress: ({ head }) => heads.add(head),
  });
  const here = train(data, schema, { trees: 8 });
  expect(reads).toEqual([3_000]);
  expect([...heads]).toEqual(['mean', 'q95', 'fail']);
  expect(result.trees).toEqual(here.trees);
  expect(result.evaluation.overall.logMae).toBeCloseTo(here.evaluation.overall.logMae, 5);
  expect(result.rows.test).toBe(450);
  expect(result.metadata.window).toEqual(here.metadata.window);
  expect(result.gate.checks.map(({ name }) => name)).toContain('golden rows');
});

test('what goes wrong in it arrives with its code', async () => {
  await expect(runTraining(jobOver(syntheticRows(100)))).rejects.toMatchObject({ code: 'E_MODEL_ROWS' });
  const job = { ...jobOver(syntheticRows(10)), paths: ['/nowhere'] };
  await expect(runTraining(job)).rejects.toMatchObject({ code: 'E_MODEL_DATA' });
});

test('it can be killed', async () => {
  const stop = new AbortController();
  const onProgress = (): void => stop.abort();
  const job = jobOver(syntheticRows(20_000), { trees: 500, patience: 500 });
  await expect(runTraining(job, { onProgress, signal: stop.signal })).rejects.toMatchObject({ code: 'E_STOPPED' });
  await expect(runTraining(job, { signal: stop.signal })).rejects.toMatchObject({ code: 'E_STOPPED' });
});
