import { createHash } from 'node:crypto';
import {
  type FeatureSchema,
  INPUT_NAME,
  type ModelMetadata,
  modelError,
  OUTPUT_NAME,
  ROOM_NAME,
  SCORE_NAMES,
} from './contract.ts';
import { checkSchema, parseMetadata } from './metadata.ts';
import { inspectOnnx, type OnnxFile, type TensorInfo } from './onnx/inspect.ts';

export interface AdmissionRules {
  /** The features that the gateway computes. */
  readonly schema: FeatureSchema;
  /** SHA-256 that the file must have; default: any. */
  readonly sha256?: string | undefined;
  /** Default 16 MiB. */
  readonly maxBytes?: number | undefined;
}

export const MAX_MODEL_BYTES: number = 16 * 1024 * 1024;
const MAX_NODES = 256;

/**
 * Operators that a model may use: trees and arithmetic. No loops, no strings, no custom operators. It is still code that is
 * run: what a model of these costs is told by running it (`E_MODEL_SLOW`).
 */
export const ALLOWED_OPERATORS: ReadonlySet<string> = new Set([
  ...['TreeEnsembleRegressor', 'TreeEnsembleClassifier', 'Scaler', 'Imputer', 'ArrayFeatureExtractor'].map(ml),
  ...['LinearRegressor', 'LinearClassifier', 'Normalizer', 'FeatureVectorizer'].map(ml),
  ...['Concat', 'Sigmoid', 'Softmax', 'Tanh', 'Relu', 'LeakyRelu', 'Softplus', 'Clip', 'Identity', 'Cast', 'Constant'],
  ...['Add', 'Sub', 'Mul', 'Div', 'Neg', 'Abs', 'Exp', 'Log', 'Sqrt', 'Max', 'Min', 'MatMul', 'Gemm'],
  ...['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Slice', 'Split', 'Gather', 'Where', 'IsNaN', 'Transpose'],
]);

function ml(name: string): string {
  return `ai.onnx.ml:${name}`;
}

export interface AdmittedModel {
  readonly sha256: string;
  readonly metadata: ModelMetadata;
  /** Whether it tells rooms. */
  readonly rooms: boolean;
}

/** Everything that can be known of a model's bytes before they are run; throws an `E_MODEL_…` error where it must not be. */
export function admit(file: Buffer, rules: AdmissionRules): AdmittedModel {
  const maxBytes = rules.maxBytes ?? MAX_MODEL_BYTES;
  if (file.length > maxBytes) {
    throw modelError('E_MODEL_TOO_LARGE', `the model has ${file.length} bytes, more than ${maxBytes}`);
  }
  const sha256 = createHash('sha256').update(file).digest('hex');
  if (rules.sha256 !== undefined && rules.sha256.toLowerCase() !== sha256) {
    throw modelError('E_MODEL_PIN', `the SHA-256 of the model is ${sha256}, not ${rules.sha256.toLowerCase()}`);
  }
  const seen = inspectOnnx(file);
  checkOperators(seen);
  const metadata = parseMetadata(seen.metadata);
  checkSchema(metadata, rules.schema);
  checkTensor('input', seen.inputs, INPUT_NAME, rules.schema.features.length);
  const others = seen.outputs.filter(({ name }) => name !== ROOM_NAME);
  checkTensor('output', others, OUTPUT_NAME, SCORE_NAMES.length);
  const rooms = others.length < seen.outputs.length;
  if (rooms) {
    checkTensor(
      'second output',
      seen.outputs.filter((tensor) => !others.includes(tensor)),
      ROOM_NAME,
      1,
    );
    if (metadata.golden.rooms === undefined) {
      throw modelError('E_MODEL_METADATA', `the model has an output ${ROOM_NAME}, but no golden.rooms to check it by`);
    }
  }
  return { sha256, metadata, rooms };
}

function checkOperators({ operators, nodes, externalData, functions }: OnnxFile): void {
  if (externalData) throw modelError('E_MODEL_EXTERNAL', 'the model keeps weights in other files; save it as one file');
  const unknown = [...operators].filter((operator) => !ALLOWED_OPERATORS.has(operator));
  if (functions) unknown.push('functions of its own');
  if (unknown.length > 0) {
    throw modelError('E_MODEL_OPERATOR', `the model uses what is not allowed: ${unknown.join(', ').slice(0, 200)}`);
  }
  if (nodes > MAX_NODES) throw modelError('E_MODEL_TOO_LARGE', `the model has ${nodes} nodes, more than ${MAX_NODES}`);
}

function checkTensor(what: string, tensors: readonly TensorInfo[], name: string, columns: number): void {
  const [tensor] = tensors;
  const found = tensors.map((t) => `${t.name} ${t.type === 1 ? 'float32' : `type ${t.type}`} [${t.shape.join(', ')}]`);
  const fits =
    tensors.length === 1 &&
    tensor?.name === name &&
    tensor.type === 1 &&
    tensor.shape.length === 2 &&
    (tensor.shape[0] as number) === -1 &&
    (tensor.shape[1] === columns || tensor.shape[1] === -1);
  if (fits) return;
  const wanted = `${name} float32 [N, ${columns}]`;
  throw modelError('E_MODEL_SHAPE', `the ${what} of the model is ${found.join(', ').slice(0, 200)}, not ${wanted}`);
}
