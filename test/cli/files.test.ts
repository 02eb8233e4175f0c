import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../src/cli/load.ts';
import { fairlead, temporaryFolder } from './command.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const BROKEN = `version: 1
brokers: { plant: { type: mqtt, url: mqtt://edge:1883 } }
sources: { in: { broker: plant, topc: a } }
targets: { out: { broker: plant, topic: b } }
routes: [{ name: r, from: [in], to: [out] }]
`;

test('lint: findings on stdout with line and column, 3 on errors, 0 on warnings alone unless strict', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'broken.yaml'), BROKEN);
  const broken = await fairlead(['lint', 'broken.yaml'], { cwd });
  expect(broken.stdout).toMatch(/^broken\.yaml:3:\d+ error E_CONFIG_UNKNOWN_KEY: .*did you mean "topic"/m);
  expect(broken.stderr).toMatch(/✘ broken\.yaml: \d errors?, \d warnings?/);
  expect(broken.code).toBe(3);

  writeFileSync(join(cwd, 'risky.yaml'), BROKEN.replace('topc', 'topic'));
  const risky = await fairlead(['lint', '-c', 'risky.yaml', '-o', 'json'], { cwd });
  expect(JSON.parse(risky.stdout)).toContainEqual(expect.objectContaining({ code: 'W_NO_DEAD_LETTER', line: 5 }));
  expect(risky.code).toBe(0);
  expect((await fairlead(['lint', 'risky.yaml', '--strict'], { cwd })).code).toBe(3);
});

test('init writes a starter that lints clean and is valid by its schema, and overwrites nothing', async () => {
  const cwd = temporaryFolder();
  expect((await fairlead(['init'], { cwd })).code).toBe(0);
  const text = readFileSync(join(cwd, 'fairlead.yaml'), 'utf8');
  expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/fairlead\.schema\.json$/m);
  expect(await fairlead(['lint', '--strict'], { cwd })).toMatchObject({ code: 0, stdout: '' });
  const schema = JSON.parse(readFileSync(join(cwd, 'fairlead.schema.json'), 'utf8'));
  expect(new Ajv({ strict: false, validateFormats: false }).compile(schema)(parse(text))).toBe(true);

  writeFileSync(join(cwd, 'fairlead.yaml'), 'mine');
  const again = await fairlead(['init'], { cwd });
  expect(again.stderr).toMatch(/already there/);
  expect(again.code).toBe(2);
  expect(readFileSync(join(cwd, 'fairlead.yaml'), 'utf8')).toBe('mine');
});

test('schema prints the schema that is shipped', async () => {
  const { code, stdout } = await fairlead(['schema']);
  expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(root, 'config/fairlead.schema.json'), 'utf8')));
  expect(code).toBe(0);
});

test('echo prints what was understood, without secrets; the environment names the file', async () => {
  const cwd = temporaryFolder();
  const secret = 'tr0ub4dor';
  writeFileSync(
    join(cwd, 'g.yaml'),
    BROKEN.replace('topc', 'topic').replace('url:', `password: '\${PW}', username: u, url:`),
  );
  const env = { FAIRLEAD_CONFIG: 'g.yaml', PW: secret };
  const { code, stdout, stderr } = await fairlead(['echo'], { cwd, env });
  expect(parse(stdout)).toMatchObject({ brokers: { plant: { password: '***' } }, drain: { deadline: '25s' } });
  expect(stdout + stderr).not.toContain(secret);
  expect(code).toBe(0);
  expect((await fairlead(['echo', '-c', 'none.yaml'], { cwd, env })).code).toBe(3);
});

test('usage', async () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(await fairlead(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  const unknown = await fairlead(['rnu']);
  expect(unknown.stderr).toMatch(/unknown command 'rnu'\n\(Did you mean run\?\)/);
  expect(unknown.code).toBe(2);
  expect((await fairlead(['lint', '-o', 'xml'])).code).toBe(2);
});

test('every shipped configuration holds; only the example for containers has risks, and says so', async () => {
  const env = { ...process.env, INGRESS_TOKEN: 'x' };
  const examples = readdirSync(join(root, 'config/examples')).map((name) => `examples/${name}`);
  for (const name of ['starter.yaml', 'demo.yaml', 'gateway.example.yaml', ...examples]) {
    const { findings } = readConfig(join(root, 'config', name), env);
    const codes = findings.map(({ code }) => code);
    expect([name, ...codes]).toEqual(
      name === 'gateway.example.yaml' ? [name, 'W_SQS_PLAIN_HTTP', 'W_HTTP_PLAIN'] : [name],
    );
  }
});
