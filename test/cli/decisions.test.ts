import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordWorld } from '../models/recorded-world.ts';
import { fairlead, temporaryFolder } from './command.ts';

test('the last decisions, as text and as JSON', async () => {
  const cwd = temporaryFolder();
  await recordWorld(join(cwd, 'recorded'), 2);
  const where = ['--telemetry', 'recorded'];
  const shown = await fairlead(['decisions', ...where, '-n', '2'], { cwd });
  expect(shown.code).toBe(0);
  expect(shown.stdout.match(/^\S+Z {2}regions → \w+ {2}ok in [\d.]+ ms$/gm)?.length).toBe(2);
  expect(shown.stdout).toMatch(/^ {2}route orders, by analytic \(adaptive\), propensity [\d.]+, .*no model$/m);
  expect(shown.stdout).toMatch(/^ {2}✔ {2}(log|queue|hook) /m);
  const all = await fairlead(['decisions', ...where, '-n', '1', '--features'], { cwd });
  expect(all.stdout).toMatch(/^ {2}is_kafka +1 +0 +0$/m);
  const json = await fairlead(['decisions', ...where, '--choice', 'regions', '-o', 'json'], { cwd });
  const [first] = JSON.parse(json.stdout) as { candidates: { target: string }[] }[];
  expect(first?.candidates.map(({ target }) => target)).toEqual(['log', 'queue', 'hook']);
  const none = await fairlead(['decisions', ...where, '--choice', 'other'], { cwd });
  expect(none).toMatchObject({ code: 0, stdout: '', stderr: 'no decisions in recorded\n' });
});

test('where nothing is recorded it says so', async () => {
  const cwd = temporaryFolder();
  expect(await fairlead(['decisions', '--telemetry', 'nowhere'], { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^E_TELEMETRY_READ/),
  });
  writeFileSync(join(cwd, 'fairlead.yaml'), 'version: 1\nname: a\n');
  const unset = await fairlead(['decisions'], { cwd });
  expect(unset.code).not.toBe(0);
});
