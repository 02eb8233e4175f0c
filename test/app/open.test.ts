import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { memory } from '../../src/adapters/memory/index.ts';
import { openGateway } from '../../src/app.ts';
import { parseConfig } from '../setup/gateway.ts';

test('a gateway that cannot be made leaves its store unlocked', async () => {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-open-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const text = [
    'version: 1',
    'brokers: { here: { type: memory } }',
    'sources: { in: { broker: here, topic: in } }',
    'targets: { out: { broker: here, topic: out } }',
    'routes: [{ name: all, from: [in], to: [out], delivery: { deadLetter: { store: true } } }]',
    `store: { path: ${JSON.stringify(path)} }`,
  ].join('\n');
  const config = parseConfig(text);
  const broken = { ...memory, createBroker: () => fail('no such library') };
  const onFatal = (): void => fail('not called');
  await expect(openGateway(config, { adapters: [broken] }, onFatal)).rejects.toThrow('no such library');
  const gateway = await openGateway(config, { adapters: [memory] }, onFatal);
  await gateway.stop();
});

function fail(message: string): never {
  throw new Error(message);
}
