import { MeshEvent } from '../src/core/event.ts';
import { FieldReader } from '../src/router/pattern/field-reader.ts';
import { median } from './stats.ts';

const BODY = {
  orderId: 'o-8271-2231-9921',
  customer: { id: 'c-19283', name: 'Jane Doe', tier: 'gold', country: 'DE' },
  region: 'eu-west-1',
  device: { id: 'plant-7/line-3/sensor-12', model: 'TX-500', firmware: '4.12.1' },
  celsius: 91.25,
  humidity: 40,
  status: 'active',
  tags: ['hot', 'line3', 'shift-b'],
  position: { lat: 52.520008, lon: 13.404954 },
  readAt: '2026-01-02T03:04:05.123Z',
  batch: 'b-2026-01-02-17',
  note: 'regular reading of the line, nothing to see here really',
  checksum: 'a8f5f167f44f4964e6c998dee827110c',
  sequence: 1_234_567,
  ok: true,
  err: null,
};

const FIELDS =
  'region status customer.tier tags customer.id device.id device.model celsius position.lat batch checksum sequence'.split(
    ' ',
  );

/** One row: CPU per body, and the rate as a multiple of JSON.parse's in the same round. */
interface FieldsRow {
  readonly name: string;
  readonly microseconds: number;
  readonly ratio: number;
}

/** Reading fields out of JSON bodies beside `JSON.parse`, rounds interleaved; medians. */
export function benchFields(options: { readonly events: number; readonly rounds: number }): readonly FieldsRow[] {
  const events = Array.from({ length: 10_000 }, (_, n) => {
    const data = Buffer.from(JSON.stringify({ ...BODY, orderId: `o-${n}`, sequence: n }));
    return new MeshEvent({ id: String(n), source: '/bench', type: 'bench', datacontenttype: 'application/json', data });
  });
  const loops: readonly (readonly [string, (event: MeshEvent) => unknown])[] = [
    ['JSON.parse', (event) => JSON.parse((event.data as Buffer).toString('utf8'))],
    ...[1, 2, 4, 12].map((count) => [`${count} fields`, reading(FIELDS.slice(0, count))] as const),
    ['2 of 10,000 fields', reading([...FIELDS.slice(0, 2), ...Array.from({ length: 9_998 }, (_, n) => `field${n}`)])],
  ];
  const costs = loops.map((): number[] => []);
  for (let round = -1; round < options.rounds; round += 1) {
    for (const [index, [, loop]] of loops.entries()) {
      const cost = measure(events, options.events, loop);
      if (round >= 0) costs[index]?.push(cost);
    }
  }
  return loops.map(([name], index) => {
    const own = costs[index] as number[];
    const ratios = own.map((cost, round) => (costs[0]?.[round] as number) / cost);
    return { name, microseconds: median(own), ratio: median(ratios) };
  });
}

function reading(fields: readonly string[]): (event: MeshEvent) => unknown {
  const reader = new FieldReader();
  for (const field of fields) reader.slot(field.split('.'));
  return (event) => {
    if (reader.read(event) !== 'flat') throw new Error('the body was not read');
    return reader.values;
  };
}

/** µs of CPU per event. */
function measure(events: readonly MeshEvent[], total: number, loop: (event: MeshEvent) => unknown): number {
  const before = process.cpuUsage();
  for (let done = 0; done < total; done += events.length) for (const event of events) loop(event);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / total;
}
