import { modelError } from '../contract.ts';
import { BYTES, FIXED32, FIXED64, VARINT } from './writer.ts';

/** One field of a message. `value` is the number of a varint field; the bytes of any other. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  readonly value: number;
  readonly bytes: Buffer;
}

const NOTHING = Buffer.alloc(0);

/** The fields of a protobuf message in their order. Throws `E_MODEL_FORMAT` where the bytes are none. */
export function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    // almost all numbers are small, and files hold a million of them
    let small = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = message[at];
      if (byte === undefined) throw cut();
      at += 1;
      small |= (byte & 127) << shift;
      if (byte < 128) return small;
    }
    let value = BigInt(small);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = message[at];
      if (byte === undefined) throw cut();
      at += 1;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, value));
    }
    throw modelError('E_MODEL_FORMAT', 'the model is not an ONNX file: a number in it has no end');
  };
  const take = (length: number): Buffer => {
    if (length < 0 || length > message.length - at) throw cut();
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = varint();
    const [number, wire] = [Math.floor(tag / 8), tag & 7];
    if (number < 1)
      throw modelError('E_MODEL_FORMAT', 'the model is not an ONNX file: it has a field without a number');
    if (wire === VARINT) yield { number, wire, value: varint(), bytes: NOTHING };
    else if (wire === BYTES) yield { number, wire, value: Number.NaN, bytes: take(varint()) };
    else if (wire === FIXED32) yield { number, wire, value: Number.NaN, bytes: take(4) };
    else if (wire === FIXED64) yield { number, wire, value: Number.NaN, bytes: take(8) };
    else throw modelError('E_MODEL_FORMAT', `the model is not an ONNX file: it has a field of wire type ${wire}`);
  }
}

function cut(): Error {
  return modelError('E_MODEL_FORMAT', 'the model is not an ONNX file, or it is cut off');
}
