import avsc, { type Schema } from 'avsc';
import { compileAvro } from '../src/adapters/kafka/registry/avro.ts';
import { MeshEvent } from '../src/core/event.ts';
import { SchemaCompiler } from '../src/schema/compile.ts';
import { median } from './stats.ts';

const READING = {
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
};

const text = { type: 'string' };
const texts = (...names: string[]): object => Object.fromEntries(names.map((name) => [name, text]));
const object = (properties: object): object => {
  return { type: 'object', required: Object.keys(properties), properties, additionalProperties: false };
};

/** Every field typed and required, unknown ones refused, a pattern, a format, an enum, bounds. */
const JSON_SCHEMA = object({
  orderId: { type: 'string', pattern: '^o-[0-9-]+$' },
  customer: object({ ...texts('id', 'name', 'country'), tier: { enum: ['gold', 'silver'] } }),
  region: text,
  device: object(texts('id', 'model', 'firmware')),
  celsius: { type: 'number', minimum: -273.15 },
  humidity: { type: 'integer', minimum: 0, maximum: 100 },
  status: { enum: ['active', 'idle'] },
  tags: { type: 'array', items: text, maxItems: 10, uniqueItems: true },
  position: object({ lat: { type: 'number' }, lon: { type: 'number' } }),
  readAt: { type: 'string', format: 'date-time' },
  batch: text,
  note: { type: 'string', maxLength: 200 },
  checksum: { type: 'string', minLength: 32, maxLength: 32 },
  sequence: { type: 'integer' },
  ok: { type: 'boolean' },
});

const record = (name: string, fields: Readonly<Record<string, unknown>>): object => {
  return { type: 'record', name, fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })) };
};
const strings = (...names: string[]): Record<string, unknown> => Object.fromEntries(names.map((n) => [n, 'string']));
const AVRO = record('Reading', {
  orderId: 'string',
  customer: record('Customer', strings('id', 'name', 'tier', 'country')),
  region: 'string',
  device: record('Device', strings('id', 'model', 'firmware')),
  celsius: 'double',
  humidity: 'int',
  status: 'string',
  tags: { type: 'array', items: 'string' },
  position: record('Position', { lat: 'double', lon: 'double' }),
  ...strings('readAt', 'batch', 'note', 'checksum'),
  sequence: 'long',
  ok: 'boolean',
});

/** One row: CPU per event, and that as a multiple of JSON.parse's in the same round. */
interface SchemaRow {
  readonly name: string;
  readonly microseconds: number;
  readonly ratio: number;
}

/** Validation by JSON Schema and decoding of Avro beside `JSON.parse` of the same data, rounds interleaved; medians. */
export function benchSchemas(options: { readonly events: number; readonly rounds: number }): readonly SchemaRow[] {
  const bodies = Array.from({ length: 10_000 }, (_, n) => ({ ...READING, orderId: `o-${n}`, sequence: n }));
  const datas = bodies.map((body) => Buffer.from(JSON.stringify(body)));
  const events = datas.map((data, n) => new MeshEvent({ id: String(n), source: '/bench', type: 'bench', data }));
  const compiler = new SchemaCompiler({ location: 'bench:reading', text: JSON.stringify(JSON_SCHEMA) });
  const compilation = compiler.compile();
  if ('missing' in compilation) throw new Error(`missing ${compilation.missing}`);
  const { schema } = compilation;
  const avro = avsc.Type.forSchema(AVRO as Schema);
  const encoded = bodies.map((body) => avro.toBuffer(body));
  const decode = compileAvro(JSON.stringify(AVRO), []);
  if (!decode(encoded[7] as Buffer, 0, 1e6).equals(datas[7] as Buffer)) throw new Error('Avro gave other JSON');
  const check = (data: unknown): void => {
    const refusal = schema.check(data);
    if (refusal !== undefined) throw new Error(refusal.message);
  };
  const parse = (n: number): unknown => JSON.parse((datas[n] as Buffer).toString('utf8'));
  const loops: readonly (readonly [string, (n: number) => unknown])[] = [
    ['JSON.parse', parse],
    ['JSON Schema, parsed', (n) => check((events[n] as MeshEvent).json())],
    ['JSON Schema, from bytes', (n) => check(parse(n))],
    ['Avro to JSON', (n) => decode(encoded[n] as Buffer, 0, 1e6)],
    ['Avro by avsc, to JSON', (n) => Buffer.from(JSON.stringify(avro.fromBuffer(encoded[n] as Buffer)))],
  ];
  const costs = loops.map((): number[] => []);
  for (let round = -1; round < options.rounds; round += 1) {
    for (const [index, [, loop]] of loops.entries()) {
      const cost = measure(datas.length, options.events, loop);
      if (round >= 0) costs[index]?.push(cost);
    }
  }
  return loops.map(([name], index) => {
    const own = costs[index] as number[];
    const ratios = own.map((cost, round) => cost / (costs[0]?.[round] as number));
    return { name, microseconds: median(own), ratio: median(ratios) };
  });
}

/** µs of CPU per event. */
function measure(distinct: number, total: number, loop: (n: number) => unknown): number {
  const before = process.cpuUsage();
  for (let done = 0; done < total; done += distinct) for (let n = 0; n < distinct; n += 1) loop(n);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / total;
}
