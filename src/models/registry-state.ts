import { modelError } from './contract.ts';
import type { GateReport } from './gate.ts';

/** Which versions of a model are in use. */
export interface ModelState {
  /** In force. */
  readonly active: number | null;
  /** What a rollback goes back to. */
  readonly previous: number | null;
  /** In force for a share of the events. */
  readonly canary: number | null;
  /** Scores, and decides nothing. */
  readonly shadow: number | null;
}

export const EMPTY_STATE: ModelState = { active: null, previous: null, canary: null, shadow: null };

/** What is known of a version: `meta.json`. */
export interface ModelMeta {
  readonly sha256: string;
  readonly bytes: number;
  /** Wall-clock time, for people only. */
  readonly createdAt: string;
  /** SHA-256 of the model that was in force when it was trained. */
  readonly parent: string | null;
  readonly schemaHash: string;
  /** Rows that trained it, and their first and last time in ms since 1970. */
  readonly rows: number;
  readonly window: readonly [number, number];
  readonly seed: number;
  readonly metrics: Readonly<Record<string, number | null>>;
  /** How it did when it was added; null where nothing was measured. */
  readonly gate: GateReport | null;
}

/** Reads `meta.json`. Throws `E_MODEL_REGISTRY` where it does not hold. */
export function parseMeta(text: Buffer, file: string): ModelMeta {
  const value = object(text, file) as Partial<ModelMeta>;
  const { sha256, bytes, metrics } = value;
  if (
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    typeof bytes === 'number' &&
    metrics !== undefined
  ) {
    return value as ModelMeta;
  }
  throw damaged(file);
}

/** Reads `state.json`. Throws `E_MODEL_REGISTRY` where it does not hold. */
export function parseState(text: Buffer, file: string): ModelState {
  const value = object(text, file) as Partial<Record<keyof ModelState, unknown>>;
  const version = (name: keyof ModelState): number | null => {
    const found = value[name] ?? null;
    if (found === null || (Number.isInteger(found) && (found as number) > 0)) return found as number | null;
    throw damaged(file);
  };
  return {
    active: version('active'),
    previous: version('previous'),
    canary: version('canary'),
    shadow: version('shadow'),
  };
}

function object(text: Buffer, file: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text.toString());
  } catch (cause) {
    throw damaged(file, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(file);
  return value;
}

function damaged(file: string, cause?: unknown): Error {
  return modelError('E_MODEL_REGISTRY', `${file} is damaged: restore it, or remove it`, cause);
}
