import type { MeshEvent } from '../core/event.ts';
import {
  type InlineTransform,
  type StagedTransform,
  type Transform,
  type Transformed,
  TransformFailure,
  type TransformStep,
} from '../core/transform.ts';
import { compileAttributes } from './attributes.ts';
import { compileData, withJson } from './data.ts';
import { type JsonataEvaluator, type JsonataProgram, jsonataInput, jsonataProgram } from './jsonata/program.ts';
import { compileSplit, splitAll } from './split.ts';
import { EventView } from './view.ts';

type Edit = (event: MeshEvent) => MeshEvent;

type Operation =
  | { readonly kind: 'edit'; readonly edit: Edit }
  | { readonly kind: 'jsonata'; readonly program: JsonataProgram }
  | { readonly kind: 'split'; readonly split: (event: MeshEvent) => readonly MeshEvent[] };

/** Events of one call of a staged transform that wait for JSONata, or for room: fewer where each may become many. */
const BATCH = 64;
const SPLIT_BATCH = 8;

/**
 * Compiles the steps of a route. Without JSONata and `split` the result works inline. `evaluator` runs the expressions.
 * Throws {@link FairleadError} `E_TEMPLATE`, `E_TRANSFORM_PATH`, `E_TRANSFORM_ATTRIBUTE` for what the check refuses.
 */
export function compileTransform(steps: readonly TransformStep[], evaluator: JsonataEvaluator): Transform {
  const operations = steps.flatMap(compileStep);
  const edits = operations.flatMap((operation) => (operation.kind === 'edit' ? [operation.edit] : []));
  return edits.length === operations.length ? inline(edits) : staged(operations, evaluator);
}

/** What a transform makes of one event: for tests of routes and for dry runs. */
export async function applyTransform(transform: Transform, event: MeshEvent): Promise<Transformed> {
  if (transform.kind === 'staged') return (await transform.apply([event]))[0] as Transformed;
  const result = transform.apply(event);
  return result instanceof TransformFailure ? result : [result];
}

/** The operations of a step in order. All templates of a step see the event as the step found it. */
function compileStep(step: TransformStep): Operation[] {
  const attributes = compileAttributes(step);
  const jsonata = step.data?.jsonata;
  const fields = step.data === undefined || jsonata !== undefined ? undefined : compileData(step.data);
  const operations: Operation[] = [];
  if (attributes !== undefined || fields !== undefined) {
    const edit: Edit = (event) => {
      const before = new EventView(event);
      const named = attributes === undefined ? event : attributes(event, before);
      return fields === undefined ? named : fields(named, before);
    };
    operations.push({ kind: 'edit', edit });
  }
  if (step.data !== undefined && jsonata !== undefined) {
    operations.push({ kind: 'jsonata', program: jsonataProgram(jsonata, step.data) });
  }
  if (step.split !== undefined) operations.push({ kind: 'split', split: compileSplit(step.split) });
  return operations;
}

function inline(edits: readonly Edit[]): InlineTransform {
  return {
    kind: 'inline',
    apply(event) {
      try {
        let changed = event;
        for (const edit of edits) changed = edit(changed);
        return changed;
      } catch (error) {
        return TransformFailure.of(error);
      }
    },
  };
}

function staged(operations: readonly Operation[], evaluator: JsonataEvaluator): StagedTransform {
  return {
    kind: 'staged',
    maxEvents: operations.some(({ kind }) => kind === 'split') ? SPLIT_BATCH : BATCH,
    async apply(events) {
      let results: Transformed[] = events.map((event) => [event]);
      for (const operation of operations) {
        if (operation.kind === 'jsonata') results = await evaluateAll(results, operation.program, evaluator);
        else results = results.map((result) => step(result, operation));
      }
      return results;
    },
  };
}

function step(result: Transformed, operation: Exclude<Operation, { kind: 'jsonata' }>): Transformed {
  if (result instanceof TransformFailure) return result;
  try {
    return operation.kind === 'edit' ? result.map(operation.edit) : splitAll(result, operation.split);
  } catch (error) {
    return TransformFailure.of(error);
  }
}

/** One evaluation for each event there is by now; an event fails when one of its parts does. */
async function evaluateAll(
  results: readonly Transformed[],
  program: JsonataProgram,
  evaluator: JsonataEvaluator,
): Promise<Transformed[]> {
  const events = results.flatMap((result) => (result instanceof TransformFailure ? [] : result));
  const outcomes = await evaluator.evaluate(
    program,
    events.map((event) => jsonataInput(event, program)),
  );
  let at = 0;
  return results.map((result) => {
    if (result instanceof TransformFailure) return result;
    const own = outcomes.slice(at, at + result.length);
    at += result.length;
    const failure = own.find((outcome) => outcome instanceof TransformFailure);
    if (failure !== undefined) return failure as TransformFailure;
    return result.map((event, index) => withJson(event, own[index] as Buffer));
  });
}
