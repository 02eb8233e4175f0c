import avsc, { type Schema, type Type } from 'avsc';
import { FairleadError, messageOf } from '../../../core/errors.ts';
import { AvroReader, malformed } from './avro-reader.ts';

/** Makes JSON text of a value that is read at the reader's place. */
type Transcode = (reader: AvroReader) => string;

/** Makes JSON of Avro binary from `at` on; `maxLength` bounds the JSON. Throws coded errors for what does not fit. */
export type AvroDecoder = (bytes: Buffer, at: number, maxLength: number) => Buffer;

/**
 * Compiles an Avro schema; `referred` are the schemas that it names types of, each after those that it needs itself. The
 * schemas are parsed by avsc; the values go straight to JSON text, because a long beyond 2^53 and a field called `__proto__`
 * would not survive as JavaScript values. Throws `E_KAFKA_REGISTRY_SCHEMA`.
 */
export function compileAvro(schema: string, referred: readonly string[]): AvroDecoder {
  const root = parse(schema, referred);
  const transcode = new Compiler().of(root);
  return (bytes, at, maxLength) => {
    const reader = new AvroReader(bytes, at, maxLength);
    const text = transcode(reader);
    if (reader.left > 0) throw malformed(`${reader.left} bytes are left over`);
    return Buffer.from(text, 'utf8');
  };
}

function parse(schema: string, referred: readonly string[]): Type {
  const options = { registry: {}, logicalTypes: { decimal: Decimal }, wrapUnions: true };
  try {
    for (const text of referred) avsc.Type.forSchema(JSON.parse(text) as Schema, options);
    return avsc.Type.forSchema(JSON.parse(schema) as Schema, options);
  } catch (error) {
    const message = `the Avro schema cannot be used: ${messageOf(error).slice(0, 200)}`;
    throw new FairleadError({ code: 'E_KAFKA_REGISTRY_SCHEMA', message, cause: error });
  }
}

/** The one logical type whose underlying bytes would be of no use to a reader of JSON. */
class Decimal extends avsc.types.LogicalType {
  readonly scale: number;

  constructor(schema: Schema, options?: unknown) {
    super(schema, options);
    const { scale = 0 } = schema as { scale?: unknown };
    if (typeof scale !== 'number' || !Number.isInteger(scale) || scale < 0 || scale > 1_000) {
      throw new Error('the scale of a decimal is not a whole number from 0 to 1000'); // avsc ignores the logical type then
    }
    this.scale = scale;
  }
}

class Compiler {
  /** By type, so that a recursive one ends. */
  readonly #made = new Map<Type, Transcode>();

  of(type: Type): Transcode {
    const made = this.#made.get(type);
    if (made !== undefined) return made;
    let own: Transcode | undefined;
    this.#made.set(type, (reader) => (own as Transcode)(reader));
    own = this.#make(type);
    this.#made.set(type, own);
    return own;
  }

  #make(type: Type): Transcode {
    switch (type.typeName) {
      case 'null':
        return (reader) => reader.spend('null');
      case 'boolean':
        return (reader) => reader.spend(String(reader.boolean()));
      case 'int':
      case 'long':
        return (reader) => reader.spend(String(reader.long()));
      case 'float':
        return (reader) => reader.spend(floatText(reader.float()));
      case 'double':
        return (reader) => reader.spend(numberText(reader.double()));
      case 'string':
        return (reader) => reader.spend(reader.string());
      case 'bytes':
        return (reader) => reader.spend(base64(reader.bytes(reader.count())));
      case 'fixed': {
        const { size } = type as avsc.types.FixedType;
        return (reader) => reader.spend(base64(reader.bytes(size)));
      }
      case 'enum':
        return enumOf(type as avsc.types.EnumType);
      case 'array':
        return blocks('[', ']', this.of((type as avsc.types.ArrayType).itemsType));
      case 'map': {
        const value = this.of((type as avsc.types.MapType).valuesType as Type);
        return blocks('{', '}', (reader) => `${reader.spend(`${reader.string()}:`)}${value(reader)}`);
      }
      case 'union:wrapped':
        return this.#union((type as avsc.types.WrappedUnionType).types);
      case 'record':
      case 'error':
        return this.#record(type as avsc.types.RecordType);
      case 'logical:decimal':
        return decimalOf(type as unknown as Decimal);
      default:
        throw new FairleadError({ code: 'E_KAFKA_REGISTRY_SCHEMA', message: `unknown Avro type ${type.typeName}` });
    }
  }

  #union(types: readonly Type[]): Transcode {
    const branches = types.map((type) => this.of(type));
    return (reader) => {
      const branch = branches[reader.count()];
      if (branch === undefined) throw malformed('a union has no such branch');
      return branch(reader);
    };
  }

  #record({ fields }: avsc.types.RecordType): Transcode {
    const parts = fields.map(({ name, type }, index) => ({
      label: `${index === 0 ? '' : ','}${JSON.stringify(name)}:`,
      value: this.of(type),
    }));
    return (reader) => {
      reader.enter();
      let text = reader.spend('{');
      for (const { label, value } of parts) text += reader.spend(label) + value(reader);
      reader.leave();
      return `${text}}`;
    };
  }
}

/** Arrays and maps come in blocks; a negative count is followed by the size of the block. */
function blocks(open: string, close: string, item: Transcode): Transcode {
  return (reader) => {
    reader.enter();
    let text = open;
    for (let count = reader.count(true); count !== 0; count = reader.count(true)) {
      if (count < 0) reader.count();
      for (let n = Math.abs(count); n > 0; n -= 1) text += (text === open ? '' : reader.spend(',')) + item(reader);
    }
    reader.leave();
    return text + close;
  };
}

function enumOf({ symbols }: avsc.types.EnumType): Transcode {
  const texts = symbols.map((symbol) => JSON.stringify(symbol));
  return (reader) => {
    const text = texts[reader.count()];
    if (text === undefined) throw malformed('an enum has no such symbol');
    return reader.spend(text);
  };
}

const MAX_DECIMAL_BYTES = 512;

function decimalOf({ underlyingType, scale }: Decimal): Transcode {
  const size = underlyingType.typeName === 'fixed' ? (underlyingType as avsc.types.FixedType).size : undefined;
  return (reader) => {
    const bytes = reader.bytes(size ?? reader.count());
    if (bytes.length === 0 || bytes.length > MAX_DECIMAL_BYTES) throw malformed('a decimal has an impossible length');
    const unscaled = BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`));
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
    const whole = digits.slice(0, digits.length - scale);
    const sign = unscaled < 0n ? '-' : '';
    return reader.spend(scale === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-scale)}`);
  };
}

function base64(bytes: Buffer): string {
  return `"${bytes.toString('base64')}"`;
}

/** JSON has no number for these three; they are written as Java's Avro does. */
function numberText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"';
}

/** The shortest digits that give the same 32-bit float: `0.1`, not `0.10000000149011612`. */
function floatText(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return numberText(value);
  for (let precision = 6; precision < 9; precision += 1) {
    const short = Number(value.toPrecision(precision));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}
