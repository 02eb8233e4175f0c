import type { AdapterContext } from '../../src/adapters/spec.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLog } from '../../src/core/log.ts';

/** What an adapter is given in tests. */
export function testContext(name: string, over: Partial<AdapterContext> = {}): AdapterContext {
  return {
    name,
    gateway: 'fairlead-test',
    instance: 'test-1',
    log: silentLog,
    clock: systemClock,
    random: Math.random,
    ...over,
  };
}
