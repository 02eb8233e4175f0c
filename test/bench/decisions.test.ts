import { describe, expect, it } from 'vitest';
import { benchDecisions, decisionsText } from '../../bench/decisions.ts';

describe('bench decisions', () => {
  it('has a row per selector and number of targets', () => {
    const rows = benchDecisions({ events: 300, rounds: 1, targets: [2, 5], selectors: ['adaptive', 'c3'] });
    expect(rows.map(({ by, targets }) => `${by} ${targets}`)).toEqual(['adaptive 2', 'adaptive 5', 'c3 2', 'c3 5']);
    for (const row of rows) {
      expect(row.cpuUs).toBeTypeOf('number');
      expect(row.p99Us).toBeGreaterThanOrEqual(row.p50Us);
    }
    const text = decisionsText(rows, [{ targets: 2, rows: 6, tickUs: 70, share: 0.0035 }]);
    expect(text).toContain('adaptive');
    expect(text).toContain('0.35 %');
  });
});
