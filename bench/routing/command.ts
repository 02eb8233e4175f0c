import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { FAMILIES, type Family, LENGTH } from '../../src/simulation/world/families.ts';
import { measureCpu } from './decision-cpu.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { DEMO_MODEL, readModel } from './model.ts';
import { familyPlot, timePlots } from './plots.ts';
import { nameOf, policies } from './policies.ts';
import { policiesOf, reportOf } from './report.ts';
import { summaryOf } from './summary.ts';
import { verdictsOf } from './verdicts.ts';

export interface RoutingBench {
  readonly quick: boolean;
  /** Scenarios of each family, held out or not. */
  readonly seeds: { readonly heldOut: number; readonly others: number };
  /** `train`, `held-out`, `all`, or names of families. */
  readonly families: readonly string[];
  /** Folder for the JSON and the plots; undefined: none. */
  readonly out: string | undefined;
  /** An ONNX file for `predictive`; default: the one that comes with the repository, and without that no `predictive`. */
  readonly model: string | undefined;
}

/** Runs the evaluation, prints it, and writes it down. False where the families asked for do not exist. */
export async function benchRouting({
  quick,
  seeds,
  families: wanted,
  out,
  model: file,
}: RoutingBench): Promise<boolean> {
  const families = chosen(wanted);
  if (families.length === 0) {
    process.stderr.write(
      `no such families; there are train, held-out, all, ${FAMILIES.map(({ name }) => name).join(', ')}\n`,
    );
    return false;
  }
  const model = await readModel(file ?? DEMO_MODEL);
  if (file !== undefined && model === undefined) throw new Error(`there is no model ${file}`);
  const length = LENGTH;
  const options = { families, seeds, length, model, boundIterations: 40 };
  const evaluation = await evaluate({
    ...options,
    policies: policies(model !== undefined),
    progress: (family) => process.stderr.write(`${family}\n`),
  });
  const own = policiesOf(evaluation).filter((policy) => policy.truth === undefined);
  const names = [...new Set(own.map(({ by }) => by))];
  const cpu = measureCpu(names, { events: quick ? 10_000 : 100_000, rounds: quick ? 2 : 5, scorer: model?.scorer });
  const verdicts = verdictsOf(evaluation.outcomes);
  process.stdout.write(reportOf(evaluation, cpu, verdicts));
  process.stdout.write(`\n${pace(evaluation)}\n`);
  if (out !== undefined) {
    mkdirSync(out, { recursive: true });
    const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
    const summary = { machine, options: { quick, seeds, ...length }, ...summaryOf(evaluation), cpu, verdicts };
    writeFileSync(`${out}/routing.json`, `${JSON.stringify(summary)}\n`);
    writeFileSync(`${out}/families.svg`, familyPlot(evaluation));
    writeFileSync(`${out}/over-time.svg`, await timePlots(families, length, model));
    process.stdout.write(`written to ${out}: routing.json, families.svg, over-time.svg\n`);
  }
  return true;
}

function chosen(wanted: readonly string[]): readonly Family[] {
  if (wanted.length === 0 || wanted.includes('all')) return FAMILIES;
  return FAMILIES.filter(
    ({ name, heldOut }) => wanted.includes(name) || wanted.includes(heldOut ? 'held-out' : 'train'),
  );
}

function pace({ outcomes, steps, cpuMs }: Evaluation): string {
  const rate = Math.round(steps / (cpuMs / 1_000)).toLocaleString('en');
  const runs = `${outcomes.length} runs of ${new Set(outcomes.map(({ policy }) => `${nameOf(policy)} ${policy.capacities}`)).size} policies`;
  return `${runs}; ${steps.toLocaleString('en')} steps in ${(cpuMs / 1_000).toFixed(1)} s of CPU, ${rate} steps per CPU-second, policies included`;
}
