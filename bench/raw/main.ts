import type { RawBatch, RawEnd, RawSource, RawTarget } from './types.ts';

/** One raw bridge in this process, until SIGTERM. `spec` is JSON: `{ from, to }`, each a {@link RawEnd}. */
export async function runRaw(spec: string): Promise<void> {
  const { from, to } = JSON.parse(spec) as { from: RawEnd; to: RawEnd };
  const target = await openTarget(to);
  const source = await openSource(from, (batch) => target.send(batch));
  await new Promise((resolve) => process.once('SIGTERM', resolve));
  await source.close();
  await target.close();
}

/** Loads only the clients of this pair. */
async function openSource(end: RawEnd, onBatch: (batch: RawBatch) => void): Promise<RawSource> {
  switch (end.kind) {
    case 'kafka':
      return (await import('./kafka.ts')).kafkaSource(end, onBatch);
    case 'rabbitmq':
      return (await import('./rabbitmq.ts')).rabbitmqSource(end, onBatch);
    case 'mqtt':
      return (await import('./mqtt.ts')).mqttSource(end, onBatch);
    case 'sqs':
      return (await import('./sqs.ts')).sqsSource(end, onBatch);
    case 'http':
      return (await import('./http.ts')).httpSource(end, onBatch);
    default:
      throw new Error(`no raw source for ${end.kind}`);
  }
}

async function openTarget(end: RawEnd): Promise<RawTarget> {
  switch (end.kind) {
    case 'kafka':
      return (await import('./kafka.ts')).kafkaTarget(end);
    case 'rabbitmq':
      return (await import('./rabbitmq.ts')).rabbitmqTarget(end);
    case 'mqtt':
      return (await import('./mqtt.ts')).mqttTarget(end);
    case 'sqs':
      return (await import('./sqs.ts')).sqsTarget(end);
    default:
      throw new Error(`no raw target for ${end.kind}`);
  }
}
