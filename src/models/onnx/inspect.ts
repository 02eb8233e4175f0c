import { modelError } from '../contract.ts';
import { fieldsOf } from './reader.ts';

/** What is seen of an ONNX file without running it. */
export interface OnnxFile {
  /** `domain:operator` or `operator` of every node, also of nested graphs. */
  readonly operators: ReadonlySet<string>;
  readonly nodes: number;
  /** Whether weights are looked for in other files. */
  readonly externalData: boolean;
  /** Whether it has functions of its own, which would hide operators. */
  readonly functions: boolean;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly metadata: ReadonlyMap<string, string>;
}

export interface TensorInfo {
  readonly name: string;
  /** Element type of TensorProto (1 is float32); 0 where it is no tensor. */
  readonly type: number;
  /** -1 where a dimension is open. */
  readonly shape: readonly number[];
}

interface Seen {
  operators: Set<string>;
  nodes: number;
  externalData: boolean;
}

/** Graphs in attributes of nodes in graphs …; more is an attack. */
const MAX_DEPTH = 8;

/**
 * Reads the parts of a ModelProto that decide whether it may be run (field numbers of onnx.proto3). Throws
 * `E_MODEL_FORMAT` where it is none.
 */
export function inspectOnnx(file: Buffer): OnnxFile {
  const seen: Seen = { operators: new Set(), nodes: 0, externalData: false };
  const metadata = new Map<string, string>();
  const inputs: TensorInfo[] = [];
  const outputs: TensorInfo[] = [];
  let functions = false;
  let graphs = 0;
  for (const { number, bytes } of fieldsOf(file)) {
    if (number === 7) {
      graphs += 1;
      graph(bytes, seen, 0);
      for (const field of fieldsOf(bytes)) {
        if (field.number === 11) inputs.push(tensorInfo(field.bytes));
        if (field.number === 12) outputs.push(tensorInfo(field.bytes));
      }
    }
    if (number === 14) metadata.set(text(bytes, 1), text(bytes, 2));
    if (number === 20 || number === 25) functions = true;
  }
  if (graphs !== 1) throw modelError('E_MODEL_FORMAT', `the model is not an ONNX file: it has ${graphs} graphs`);
  return { ...seen, functions, inputs, outputs, metadata };
}

function graph(bytes: Buffer, seen: Seen, depth: number): void {
  if (depth > MAX_DEPTH) throw modelError('E_MODEL_FORMAT', 'the graphs of the model are nested too deeply');
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) node(field.bytes, seen, depth);
    else if (field.number === 5) tensor(field.bytes, seen);
    else if (field.number === 15) sparseTensor(field.bytes, seen);
  }
}

function node(bytes: Buffer, seen: Seen, depth: number): void {
  const domain = text(bytes, 7);
  seen.nodes += 1;
  seen.operators.add(`${domain === '' || domain === 'ai.onnx' ? '' : `${domain}:`}${text(bytes, 4)}`);
  for (const { number, bytes: attribute } of fieldsOf(bytes)) {
    if (number !== 5) continue;
    for (const part of fieldsOf(attribute)) {
      if (part.number === 5 || part.number === 10) tensor(part.bytes, seen);
      else if (part.number === 6 || part.number === 11) graph(part.bytes, seen, depth + 1);
      else if (part.number === 22 || part.number === 23) sparseTensor(part.bytes, seen);
    }
  }
}

function tensor(bytes: Buffer, seen: Seen): void {
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 13 || (number === 14 && value !== 0)) seen.externalData = true;
  }
}

function sparseTensor(bytes: Buffer, seen: Seen): void {
  for (const field of fieldsOf(bytes)) if (field.number === 1 || field.number === 2) tensor(field.bytes, seen);
}

function tensorInfo(bytes: Buffer): TensorInfo {
  let type = 0;
  const shape: number[] = [];
  const tensorType = inner(inner(bytes, 2), 1);
  for (const field of fieldsOf(tensorType)) {
    if (field.number === 1) type = field.value;
    if (field.number !== 2) continue;
    for (const dimension of fieldsOf(field.bytes)) {
      let size = -1;
      for (const part of fieldsOf(dimension.bytes)) if (part.number === 1) size = part.value;
      shape.push(size);
    }
  }
  return { name: text(bytes, 1), type, shape };
}

/** The last message of that number, as protobuf has it; empty where there is none. */
function inner(bytes: Buffer, number: number): Buffer {
  let found = Buffer.alloc(0);
  for (const field of fieldsOf(bytes)) if (field.number === number) found = field.bytes as Buffer<ArrayBuffer>;
  return found;
}

function text(bytes: Buffer, number: number): string {
  return inner(bytes, number).toString('utf8');
}
