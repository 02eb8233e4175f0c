import { type FeatureSchema, METADATA_KEY, type ModelMetadata, modelError, SCORE_NAMES } from './contract.ts';

/** Golden rows that are run at most. */
const MAX_GOLDEN = 64;

/** Reads what a model says of itself. Throws `E_MODEL_METADATA` where it does not keep the contract. */
export function parseMetadata(properties: ReadonlyMap<string, string>): ModelMetadata {
  const text = properties.get(METADATA_KEY);
  if (text === undefined) throw wrong(`it has no "${METADATA_KEY}" in its metadata_props`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw modelError('E_MODEL_METADATA', `the metadata of the model is not JSON`, cause);
  }
  const root = record(value, METADATA_KEY);
  if (root['contract'] !== 1) throw wrong(`its contract is ${JSON.stringify(root['contract'])}, not 1`);
  const schema = record(root['schema'], 'schema');
  const features = list(schema['features'], 'schema.features');
  for (const [i, feature] of features.entries()) {
    if (typeof record(feature, `schema.features[${i}]`)['name'] !== 'string') throw wrong(`feature ${i} has no name`);
  }
  if (typeof schema['hash'] !== 'string') throw wrong('schema.hash is missing');
  const window = numbers(root['window'], 2, 'window');
  for (const name of ['rows', 'seed']) if (typeof root[name] !== 'number') throw wrong(`${name} is missing`);
  for (const [name, metric] of Object.entries(record(root['metrics'], 'metrics'))) {
    if (typeof metric !== 'number' && metric !== null) throw wrong(`metrics.${name} is no number`);
  }
  const parent = root['parent'] ?? null;
  if (parent !== null && typeof parent !== 'string') throw wrong('parent is no SHA-256');
  golden(root['golden'], features.length);
  return { ...(root as unknown as ModelMetadata), window: [window[0] as number, window[1] as number], parent };
}

function golden(value: unknown, columns: number): void {
  const root = record(value, 'golden');
  const rows = list(root['features'], 'golden.features');
  const scores = list(root['scores'], 'golden.scores');
  if (rows.length === 0 || rows.length > MAX_GOLDEN) throw wrong(`it has ${rows.length} golden rows, not 1 to 64`);
  if (root['rooms'] !== undefined) numbers(root['rooms'], rows.length, 'golden.rooms');
  if (rows.length !== scores.length) throw wrong('golden.features and golden.scores differ in length');
  for (const [i, row] of rows.entries()) {
    if (list(row, `golden.features[${i}]`).length !== columns)
      throw wrong(`golden row ${i} has not ${columns} columns`);
    for (const cell of row as unknown[]) {
      if (cell !== null && typeof cell !== 'number') throw wrong(`golden row ${i} holds what is no number`);
    }
    numbers(scores[i], SCORE_NAMES.length, `golden.scores[${i}]`);
  }
}

/** Throws `E_MODEL_SCHEMA` where a model was trained on other features than the gateway computes. */
export function checkSchema(metadata: ModelMetadata, expected: FeatureSchema): void {
  if (metadata.schema.hash === expected.hash && metadata.schema.features.length === expected.features.length) return;
  const theirs = metadata.schema.features.map(({ name }) => name);
  const ours = expected.features.map(({ name }) => name);
  const without = ours.filter((name) => !theirs.includes(name));
  const beyond = theirs.filter((name) => !ours.includes(name));
  const parts = [
    ...(without.length > 0 ? [`it lacks ${without.join(', ')}`] : []),
    ...(beyond.length > 0 ? [`it wants ${beyond.join(', ')}`] : []),
    ...(without.length + beyond.length === 0 ? ['same names, computed or ordered otherwise'] : []),
  ];
  throw modelError('E_MODEL_SCHEMA', `the model was trained on other features: ${parts.join('; ')}. Train it again`);
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(`${name} is no object`);
}

function list(value: unknown, name: string): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw wrong(`${name} is no list`);
}

function numbers(value: unknown, length: number, name: string): number[] {
  const found = list(value, name);
  if (found.length === length && found.every((item) => typeof item === 'number')) return found as number[];
  throw wrong(`${name} is not ${length} numbers`);
}

function wrong(what: string): Error {
  return modelError('E_MODEL_METADATA', `the metadata of the model do not keep the contract: ${what}`);
}
