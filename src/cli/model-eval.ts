import { evalModel, ModelRegistry, readModelFile } from '../modelling.ts';
import { EXIT, ExitError } from './exit.ts';
import { evaluationText, gateText, type ModelOptions, readText, rivalText, simulationLine } from './model.ts';
import { isLive } from './terminal.ts';

export interface ModelEvalOptions extends ModelOptions {
  readonly data: readonly string[];
  readonly ahead: boolean;
  readonly against?: string;
  readonly maxRows: number;
  readonly scenarios: number;
  readonly output: 'text' | 'json';
}

const VERSION_OF = /^([a-z0-9-]+)@([1-9]\d{0,8})$/;

/** `fairlead model eval`: holds a model file, or NAME@VERSION, against telemetry; 4 where the gate does not pass. */
export async function modelEval(model: string, options: ModelEvalOptions): Promise<void> {
  const registry = new ModelRegistry(options.models);
  const [, name, number] = VERSION_OF.exec(model) ?? [];
  const version = Number(number);
  const onnx = name === undefined ? await readModelFile(model) : (await registry.read(name, version)).onnx;
  const rival = options.against ?? name;
  const active = rival === undefined ? undefined : await registry.active(rival);
  const incumbent = rival === name && active?.version === version ? undefined : active;
  const { data: paths, ahead, maxRows, scenarios } = options;
  const request = { onnx, paths, ahead, active: incumbent, maxRows, scenarios };
  const report = await evalModel(request, { onSimulated: simulationLine() });
  if (isLive(process.stderr)) process.stderr.write('\r\u001b[K');
  if (options.output === 'json') process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else
    process.stdout.write(
      `${readText(report.read)}\n${evaluationText(report.evaluation)}\n${rivalText(report.incumbent)}${gateText(report.gate)}`,
    );
  if (!report.gate.passed) throw new ExitError(EXIT.testsFailed, '');
}
