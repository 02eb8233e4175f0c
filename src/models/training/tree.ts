/** A tree in flat arrays; node 0 is the root. A node with `column` -1 is a leaf. */
export interface Tree {
  readonly column: Int32Array;
  /** Left where `value <= threshold`; both are float32. */
  readonly threshold: Float32Array;
  /** The bin that ends at the threshold. */
  readonly bin: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** 1 where a missing value goes left. */
  readonly missingLeft: Uint8Array;
  /** Of leaves. */
  readonly value: Float32Array;
}

/** Trees whose values are added to a constant, tree after tree, in float32: as an ONNX TreeEnsembleRegressor does. */
export interface Ensemble {
  readonly base: number;
  readonly trees: readonly Tree[];
  /** A column that is added to the sum, so that the trees only tell what differs from it; undefined: none. */
  readonly relativeTo?: number | undefined;
}

/** Predictions for `[rows, columns]` values. */
export function predict({ base, trees, relativeTo }: Ensemble, features: Float32Array, columns: number): Float32Array {
  const rows = features.length / columns;
  const sums = new Float32Array(rows);
  for (const tree of trees) {
    for (let row = 0; row < rows; row += 1) {
      sums[row] = (sums[row] as number) + (tree.value[leafOf(tree, features, row * columns)] as number);
    }
  }
  for (let row = 0; row < rows; row += 1) sums[row] = (sums[row] as number) + base;
  if (relativeTo === undefined) return sums;
  for (let row = 0; row < rows; row += 1)
    sums[row] = (sums[row] as number) + (features[row * columns + relativeTo] as number);
  return sums;
}

function leafOf(tree: Tree, features: Float32Array, from: number): number {
  let node = 0;
  for (let column = tree.column[0] as number; column >= 0; column = tree.column[node] as number) {
    const value = features[from + column] as number;
    const left = Number.isNaN(value) ? tree.missingLeft[node] === 1 : value <= (tree.threshold[node] as number);
    node = (left ? tree.left[node] : tree.right[node]) as number;
  }
  return node;
}

/** Adds a tree's values to the sums of binned rows. */
export function addBinned(tree: Tree, bins: Uint8Array, columns: number, sums: Float32Array): void {
  const { column, bin, left, right, missingLeft, value } = tree;
  for (let row = 0, from = 0; row < sums.length; row += 1, from += columns) {
    let node = 0;
    for (let at = column[0] as number; at >= 0; at = column[node] as number) {
      const here = bins[from + at] as number;
      const goesLeft = here === 255 ? missingLeft[node] === 1 : here <= (bin[node] as number);
      node = (goesLeft ? left[node] : right[node]) as number;
    }
    sums[row] = (sums[row] as number) + (value[node] as number);
  }
}
