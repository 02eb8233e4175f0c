import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { adapters } from '../../src/adapters/registry.ts';
import { formatFinding } from '../../src/config/finding.ts';
import { loadConfig } from '../../src/config/load.ts';

const folder = fileURLToPath(new URL('../fixtures/lint/', import.meta.url));
const env = { AMQP_URL: 'amqp://app:pa55word@jobs:5672', MQTT_HOST: 'edge-7' };

describe('broken configurations', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

  test('there are at least twenty', () => {
    expect(files.length).toBeGreaterThanOrEqual(20);
  });

  test.each(files)('%s', async (file) => {
    const readFile = (): never => {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    };
    const { config, findings } = loadConfig(readFileSync(join(folder, file), 'utf8'), {
      adapters,
      env,
      readFile,
      file,
    });
    expect(findings.length).toBeGreaterThan(0);
    expect(config === undefined).toBe(findings.some(({ severity }) => severity === 'error'));
    const text = findings.map((finding) => `${formatFinding(finding)}\n`).join('');
    await expect(text).toMatchFileSnapshot(join(folder, file.replace('.yaml', '.txt')));
  });
});
