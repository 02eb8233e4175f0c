import { expect, test } from 'vitest';
import type { Finding } from '../../src/config/finding.ts';
import type { LoadResult } from '../../src/config/load.ts';
import type { GatewayConfig } from '../../src/config/types.ts';
import { Reloader } from '../../src/reload/reloader.ts';
import { config, document } from '../app/mesh.ts';

function rig(load: () => LoadResult | Promise<LoadResult>) {
  const reloads: GatewayConfig[] = [];
  const refusals: (readonly Finding[])[] = [];
  const inForce: GatewayConfig[] = [];
  let running = 0;
  let most = 0;
  const gateway = {
    fail: false,
    async reload(next: GatewayConfig): Promise<void> {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      reloads.push(next);
      if (gateway.fail) throw new Error('refused');
    },
    refuseReload: (findings: readonly Finding[]) => void refusals.push(findings),
  };
  const reloader = new Reloader({ gateway, file: 'g.yaml', load, reloaded: (next) => void inForce.push(next) });
  return { reloader, gateway, reloads, refusals, inForce, most: () => most };
}

test('what is asked for while one attempt runs becomes one more', async () => {
  const good = config(document());
  let loads = 0;
  const r = rig(async () => {
    loads += 1;
    return { config: good, findings: [] };
  });
  const asked = Array.from({ length: 10 }, () => r.reloader.request());
  await Promise.resolve();
  asked.push(r.reloader.request(), r.reloader.request());
  await Promise.all(asked);
  expect([loads, r.reloads.length, r.most()]).toEqual([2, 2, 1]);
  await r.reloader.request();
  expect(loads).toBe(3);
  expect(r.inForce).toHaveLength(3);
});

test('a configuration that does not hold is refused with its findings', async () => {
  const finding = {
    severity: 'error',
    code: 'E_CONFIG_YAML',
    message: 'no',
    file: 'g.yaml',
    line: 2,
    column: 3,
  } as const;
  const r = rig(() => ({ findings: [finding] }));
  await r.reloader.request();
  expect(r.refusals).toEqual([[finding]]);
  expect(r.reloads).toEqual([]);
});

test('neither a failing load nor a refusing gateway ends it', async () => {
  const good = config(document());
  const answers: (() => LoadResult)[] = [
    () => {
      throw new Error('the thread died');
    },
    () => ({ config: good, findings: [] }),
    () => ({ config: good, findings: [] }),
  ];
  const r = rig(() => (answers.shift() as () => LoadResult)());
  await r.reloader.request();
  expect(r.refusals[0]).toMatchObject([{ code: 'E_RELOAD', file: 'g.yaml' }]);
  r.gateway.fail = true;
  await r.reloader.request();
  r.gateway.fail = false;
  await r.reloader.request();
  expect([r.reloads.length, r.inForce.length]).toEqual([2, 1]);
});

test('once stopped it asks the gateway for nothing', async () => {
  const r = rig(async () => {
    r.reloader.stop();
    return { config: config(document()), findings: [] };
  });
  await r.reloader.request();
  await r.reloader.request();
  expect([r.reloads, r.refusals]).toEqual([[], []]);
});
