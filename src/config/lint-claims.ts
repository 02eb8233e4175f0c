import { formatBytes } from '../adapters/fields.ts';
import type { Entries } from './entries.ts';
import type { Located } from './finding.ts';

/** What a claim check cannot be combined with, and where it comes too late. */
export function lintClaims(entries: Entries): readonly Located[] {
  const found: Located[] = [];
  for (const { name, adapter, fields } of entries.targets.values()) {
    const { claimCheck, encoding } = fields;
    if (claimCheck === undefined) continue;
    const path = ['targets', name, 'claimCheck'];
    if (encoding === 'raw') {
      const message = `targets.${name}: encoding raw sends the data alone, so a reference to it would not arrive`;
      found.push({ severity: 'error', code: 'E_CONFIG_CLAIM_CHECK', path, at: 'key', message });
    }
    const own = fields['maxBytes'];
    const limit = Math.min(typeof own === 'number' ? own : Infinity, adapter.target?.features.maxBytes ?? Infinity);
    if (claimCheck.over < limit) continue;
    const message = `targets.${name}: data of up to ${formatBytes(claimCheck.over)} is sent, but the target takes ${formatBytes(limit)} in all`;
    const hint = 'leave room for attributes, and a third more for data that is not text';
    found.push({
      severity: 'warning',
      code: 'W_CLAIM_CHECK_OVER',
      path: [...path, 'over'],
      at: 'value',
      message,
      hint,
    });
  }
  return found;
}
