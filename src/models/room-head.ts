import { readFileSync } from 'node:fs';
import { codeOf } from '../core/errors.ts';
import { modelError } from './contract.ts';
import { FEATURES, ROOM, SCHEMA_HASH } from './features.ts';
import type { Ensemble, Tree } from './training/tree.ts';

/**
 * Trees that tell the room of a target. What fits into a target cannot be read off telemetry, since a target that never was
 * full never showed it; in simulation it is known. So this part of a model is learned there (`npm run bench --
 * routing-train`), comes with the gateway, and goes into every model that is trained. See ADR 0032.
 */
export const ROOM_HEAD: URL = new URL('../../config/models/room.json', import.meta.url);

interface StoredTree {
  readonly column: readonly number[];
  readonly threshold: readonly number[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly missingLeft: readonly number[];
  readonly value: readonly number[];
}

interface StoredHead {
  readonly schema: string;
  readonly base: number;
  readonly trees: readonly StoredTree[];
}

/**
 * Undefined where there is none for such features. Throws `E_MODEL_DATA` where the file is broken.
 *
 * @param hash Of the schema of the features.
 */
export function readRoomHead(hash: string, file: URL = ROOM_HEAD): Ensemble | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw modelError('E_MODEL_DATA', `${file.pathname} cannot be read (${codeOf(cause) ?? 'unknown cause'})`, cause);
  }
  const { schema, base, trees } = parsed(text, file);
  if (schema !== hash) return undefined;
  return { base, trees: trees.map(treeOf), relativeTo: FEATURES.findIndex(({ name }) => name === ROOM) };
}

/** What {@link readRoomHead} reads. */
export function writtenRoomHead({ base, trees }: Ensemble): string {
  const stored: StoredHead = { schema: SCHEMA_HASH, base, trees: trees.map(storedTree) };
  return `${JSON.stringify(stored)}\n`;
}

function parsed(text: string, file: URL): StoredHead {
  let head: Partial<StoredHead> | null;
  try {
    head = JSON.parse(text) as Partial<StoredHead> | null;
  } catch (cause) {
    throw modelError('E_MODEL_DATA', `${file.pathname} is no JSON`, cause);
  }
  const { schema, base, trees } = head ?? {};
  const holds = typeof schema === 'string' && typeof base === 'number' && Array.isArray(trees);
  if (!holds) throw modelError('E_MODEL_DATA', `${file.pathname} does not hold trees that tell rooms`);
  return { schema, base, trees };
}

function storedTree({ column, threshold, left, right, missingLeft, value }: Tree): StoredTree {
  return {
    column: [...column],
    threshold: [...threshold],
    left: [...left],
    right: [...right],
    missingLeft: [...missingLeft],
    value: [...value],
  };
}

function treeOf({ column, threshold, left, right, missingLeft, value }: StoredTree): Tree {
  return {
    column: Int32Array.from(column),
    threshold: Float32Array.from(threshold),
    bin: new Uint8Array(column.length),
    left: Int32Array.from(left),
    right: Int32Array.from(right),
    missingLeft: Uint8Array.from(missingLeft),
    value: Float32Array.from(value),
  };
}
