import { access, constants, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../core/errors.ts';
import { ModelRegistry, type TrainProgress, type TrainReport, trainModel } from '../modelling.ts';
import { EXIT, ExitError } from './exit.ts';
import { evaluationText, gateText, type ModelOptions, readText, rivalText, simulationLine } from './model.ts';
import { isLive } from './terminal.ts';

export interface ModelTrainOptions extends ModelOptions {
  readonly data: readonly string[];
  readonly ahead: boolean;
  /** In ms. */
  readonly last?: number;
  readonly name?: string;
  readonly out?: string;
  readonly trees?: number;
  readonly depth?: number;
  readonly seed?: number;
  readonly maxRows: number;
  readonly scenarios: number;
  readonly promote?: boolean;
  readonly output: 'text' | 'json';
}

/** `fairlead model train`: trains on telemetry, measures, and keeps the model; 4 where it was to be promoted and must not. */
export async function modelTrain(options: ModelTrainOptions): Promise<void> {
  const { name, out, trees, depth, seed, maxRows, scenarios } = options;
  if (name === undefined && out === undefined) {
    throw new ExitError(EXIT.usage, 'say where the model goes: --name (a version in --models) or --out (a file)');
  }
  if (options.promote === true && name === undefined) throw new ExitError(EXIT.usage, '--promote needs --name');
  if (out !== undefined) await writing(out, () => access(dirname(out), constants.W_OK));
  const registry = new ModelRegistry(options.models);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  let report: TrainReport;
  try {
    report = await trainModel(
      {
        paths: options.data,
        ahead: options.ahead,
        ...(options.last === undefined ? {} : { since: Date.now() - options.last }),
        maxRows,
        scenarios,
        options: {
          ...(trees === undefined ? {} : { trees }),
          ...(depth === undefined ? {} : { maxDepth: depth }),
          ...(seed === undefined ? {} : { seed }),
        },
        into: name === undefined ? undefined : { registry, name },
      },
      { onProgress: progressLine(), onSimulated: simulationLine(), signal: stop.signal },
    );
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    if (isLive(process.stderr)) process.stderr.write('\r\u001b[K');
  }
  if (out !== undefined) await writing(out, () => writeFile(out, report.onnx));
  const { onnx, added, ...rest } = report;
  if (options.output === 'json') {
    const version = added === undefined ? {} : { name, version: added.version, sha256: added.meta.sha256 };
    process.stdout.write(`${JSON.stringify({ ...rest, ...version, bytes: onnx.length }, null, 2)}\n`);
  } else {
    process.stdout.write(reportText(report));
  }
  if (added === undefined || name === undefined) return;
  if (options.promote === true && !report.gate.passed) {
    throw new ExitError(EXIT.testsFailed, `version ${added.version} of ${name} is kept and not promoted`);
  }
  if (options.promote === true) await registry.promote(name, added.version);
  const hint =
    options.promote === true ? 'is in force' : `is kept; put it in force with: model promote ${name} ${added.version}`;
  process.stderr.write(`version ${added.version} of ${name} ${hint}\n`);
}

/** What cannot be written is told before the training, as far as it can be. */
async function writing(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new ExitError(EXIT.runtime, `${path} cannot be written (${codeOf(error) ?? 'unknown cause'})`);
  }
}

function reportText({ read, rows, trees, onnx, evaluation, incumbent, gate, notRun }: TrainReport): string {
  const counts = `parts     ${rows.train} trained, ${rows.valid} decided when to stop, ${rows.test} measured\n`;
  const grown = Object.entries(trees).map(([head, count]) => `${count} for ${head}`);
  const size = `trees     ${grown.join(', ')}; ${onnx.length} bytes\n\n`;
  return `${readText(read)}${counts}${size}${evaluationText(evaluation)}\n${rivalText(incumbent)}${gateText(gate, notRun)}`;
}

/** One line that is drawn anew on a terminal; nothing elsewhere. */
function progressLine(): ((progress: TrainProgress) => void) | undefined {
  if (!isLive(process.stderr)) return undefined;
  return ({ head, trees, of, validLoss }) => {
    const loss = validLoss === undefined ? '' : ` loss ${validLoss.toPrecision(4)}`;
    process.stderr.write(`\r\u001b[K${head} tree ${trees} of ${of}${loss}`);
  };
}
