import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { configPage } from '../../scripts/docs/config-page.ts';
import { codeDrift, codesIn, errorPage } from '../../scripts/docs/error-page.ts';
import { undescribed } from '../../scripts/docs/field-table.ts';
import { adapters } from '../../src/adapters/registry.ts';
import { configSchemas } from '../../src/config/schema.ts';
import { ERROR_CODES } from '../../src/core/error-codes.ts';

describe('reference docs', () => {
  test('every code in the sources is explained, and no other', () => {
    const used = codesIn(fileURLToPath(new URL('../../src', import.meta.url)));
    expect(used.size).toBeGreaterThan(50);
    expect(codeDrift(used, ERROR_CODES)).toEqual([]);
  });

  test('every code stands on the page', () => {
    const page = errorPage(ERROR_CODES);
    for (const code of Object.keys(ERROR_CODES)) expect(page).toContain(`| \`${code}\` |`);
  });

  test('drift is seen both ways', () => {
    expect(codeDrift(new Set(['E_A']), { E_B: '' })).toHaveLength(2);
  });

  test.each(adapters.map((adapter) => [adapter.type, adapter] as const))(
    '%s: every field has a description and is on the page',
    (type, adapter) => {
      const schemas = configSchemas(adapters);
      for (const schema of [schemas.brokers.get(type), schemas.sources.get(type), schemas.targets.get(type)]) {
        if (schema !== undefined) expect(undescribed(schema)).toEqual([]);
      }
      const page = configPage(adapters);
      expect(page).toContain(`## ${type}\n`);
      for (const field of Object.keys(adapter.broker.shape)) expect(page).toContain(`| \`${field}\` |`);
    },
  );
});
