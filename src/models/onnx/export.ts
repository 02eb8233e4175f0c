import { INPUT_NAME, METADATA_KEY, type ModelMetadata, OUTPUT_NAME, ROOM_NAME, SCORE_NAMES } from '../contract.ts';
import type { Ensemble } from '../training/tree.ts';
import { MessageWriter } from './writer.ts';

// Field numbers and constants are those of onnx.proto3 (IR version 8, the one of opset 17).
const IR_VERSION = 8;
const OPSET = 17;
const ML_DOMAIN = 'ai.onnx.ml';
const ML_OPSET = 3;
const FLOAT = 1;

/** The parts of a model; `fail` predicts log odds, `room` (if any) the logarithm of the room. */
export interface ScoringModel {
  readonly mean: Ensemble;
  readonly q95: Ensemble;
  readonly fail: Ensemble;
  readonly room?: Ensemble | undefined;
}

/**
 * A model as an ONNX file: `features` float32 [N, columns] → `scores` float32 [N, 3]. Both latencies are one ensemble of
 * trees with two targets; the failure is another, with a sigmoid behind it. The room has an output of its own.
 */
export function exportOnnx(model: ScoringModel, metadata: ModelMetadata): Buffer {
  const columns = metadata.schema.features.length;
  const room = model.room === undefined ? [] : ensembles('capacity', [model.room], ROOM_NAME);
  const graph = new MessageWriter()
    .messages(1, ensembles('latency', [model.mean, model.q95], 'log_ms'))
    .messages(1, ensembles('failure', [model.fail], 'log_odds'))
    .message(1, node('Sigmoid', ['log_odds'], 'p_fail'))
    .message(1, node('Concat', ['log_ms', 'p_fail'], OUTPUT_NAME).message(5, intAttribute('axis', 1)))
    .messages(1, room)
    .text(2, 'fairlead')
    .message(11, tensorInfo(INPUT_NAME, columns))
    .message(12, tensorInfo(OUTPUT_NAME, SCORE_NAMES.length));
  if (room.length > 0) graph.message(12, tensorInfo(ROOM_NAME, 1));
  return new MessageWriter()
    .int(1, IR_VERSION)
    .text(2, 'fairlead')
    .text(4, 'io.fairlead')
    .int(5, 1)
    .message(7, graph)
    .message(8, new MessageWriter().text(1, '').int(2, OPSET))
    .message(8, new MessageWriter().text(1, ML_DOMAIN).int(2, ML_OPSET))
    .message(14, new MessageWriter().text(1, METADATA_KEY).text(2, JSON.stringify(metadata)))
    .finish();
}

function node(operator: string, inputs: readonly string[], output: string): MessageWriter {
  const writer = new MessageWriter();
  for (const input of inputs) writer.text(1, input);
  return writer.text(2, output).text(3, output).text(4, operator);
}

/** The trees, and the column that they are relative to, which is the same for all of them. */
function ensembles(name: string, targets: readonly Ensemble[], output: string): readonly MessageWriter[] {
  const relativeTo = targets[0]?.relativeTo;
  if (relativeTo === undefined) return [treeNode(name, targets, output)];
  const [trees, column, start] = [`${name}_trees`, `${name}_column`, `${name}_start`];
  return [
    treeNode(name, targets, trees),
    node('Constant', [], column).message(5, intsAttribute('value_ints', [relativeTo])),
    node('Gather', [INPUT_NAME, column], start).message(5, intAttribute('axis', 1)),
    node('Add', [trees, start], output),
  ];
}

/** A TreeEnsembleRegressor with one target per ensemble. */
function treeNode(name: string, targets: readonly Ensemble[], output: string): MessageWriter {
  const ids = { tree: [] as number[], node: [] as number[], column: [] as number[], threshold: [] as number[] };
  const kinds: string[] = [];
  const links = { yes: [] as number[], no: [] as number[], missing: [] as number[] };
  const leaves = { tree: [] as number[], node: [] as number[], target: [] as number[], value: [] as number[] };
  // An ensemble without trees is its base alone; but the runtime leaves out the base of a target that has no leaf.
  const all = targets.flatMap(({ trees }, target) =>
    (trees.length === 0 ? [STUMP] : trees).map((tree) => ({ tree, target })),
  );
  for (const [tree, entry] of all.entries()) {
    const { column, threshold, left, right, missingLeft, value } = entry.tree;
    for (let at = 0; at < column.length; at += 1) {
      const isLeaf = (column[at] as number) < 0;
      ids.tree.push(tree);
      ids.node.push(at);
      ids.column.push(isLeaf ? 0 : (column[at] as number));
      ids.threshold.push(isLeaf ? 0 : (threshold[at] as number));
      kinds.push(isLeaf ? 'LEAF' : 'BRANCH_LEQ');
      links.yes.push(isLeaf ? 0 : (left[at] as number));
      links.no.push(isLeaf ? 0 : (right[at] as number));
      links.missing.push(isLeaf ? 0 : (missingLeft[at] as number));
      if (!isLeaf) continue;
      leaves.tree.push(tree);
      leaves.node.push(at);
      leaves.target.push(entry.target);
      leaves.value.push(value[at] as number);
    }
  }
  const bases = targets.map(({ base }) => base);
  return node('TreeEnsembleRegressor', [INPUT_NAME], output)
    .message(5, floatsAttribute('base_values', bases))
    .message(5, intAttribute('n_targets', targets.length))
    .message(5, intsAttribute('nodes_falsenodeids', links.no))
    .message(5, intsAttribute('nodes_featureids', ids.column))
    .message(5, intsAttribute('nodes_missing_value_tracks_true', links.missing))
    .message(5, stringsAttribute('nodes_modes', kinds))
    .message(5, intsAttribute('nodes_nodeids', ids.node))
    .message(5, intsAttribute('nodes_treeids', ids.tree))
    .message(5, intsAttribute('nodes_truenodeids', links.yes))
    .message(5, floatsAttribute('nodes_values', ids.threshold))
    .message(5, textAttribute('post_transform', 'NONE'))
    .message(5, intsAttribute('target_ids', leaves.target))
    .message(5, intsAttribute('target_nodeids', leaves.node))
    .message(5, intsAttribute('target_treeids', leaves.tree))
    .message(5, floatsAttribute('target_weights', leaves.value))
    .text(6, name)
    .text(7, ML_DOMAIN);
}

const STUMP = {
  column: Int32Array.of(-1),
  threshold: Float32Array.of(0),
  bin: Uint8Array.of(0),
  left: Int32Array.of(0),
  right: Int32Array.of(0),
  missingLeft: Uint8Array.of(0),
  value: Float32Array.of(0),
};

// AttributeProto: name 1, f 2, i 3, s 4, floats 7, ints 8, strings 9, type 20.
const attribute = (name: string, type: number): MessageWriter => new MessageWriter().text(1, name).int(20, type);
const intAttribute = (name: string, value: number): MessageWriter => attribute(name, 2).int(3, value);
const textAttribute = (name: string, value: string): MessageWriter => attribute(name, 3).text(4, value);
const floatsAttribute = (name: string, values: readonly number[]): MessageWriter =>
  attribute(name, 6).floats(7, values);
const intsAttribute = (name: string, values: readonly number[]): MessageWriter => attribute(name, 7).ints(8, values);
const stringsAttribute = (name: string, values: readonly string[]): MessageWriter => {
  const writer = attribute(name, 8);
  for (const value of values) writer.text(9, value);
  return writer;
};

/** A float32 tensor with any number of rows. */
function tensorInfo(name: string, columns: number): MessageWriter {
  const shape = new MessageWriter()
    .message(1, new MessageWriter().text(2, 'N'))
    .message(1, new MessageWriter().int(1, columns));
  return new MessageWriter()
    .text(1, name)
    .message(2, new MessageWriter().message(1, new MessageWriter().int(1, FLOAT).message(2, shape)));
}
