// npm run bench -- pairs [--pair from:to …] [--rounds N] [--seconds N] [--quick] [--json FILE]
// npm run bench -- core [--events N] [--rounds N] [--quick] [--json FILE]
// npm run bench -- fields [--events N] [--rounds N] [--quick] [--json FILE]
// npm run bench -- schemas [--events N] [--rounds N] [--quick] [--json FILE]
// npm run bench -- rules [--kind KIND …] [--peers] [--rounds N] [--quick] [--json FILE]
// npm run bench -- routing [--families train|held-out|all|NAME …] [--seeds N] [--other-seeds N] [--model FILE] [--quick] [--out FOLDER]
// npm run bench -- routing-train [--seeds N] [--rounds N] [--quick] [--out FILE]
// npm run bench -- routing-live [--rounds N] [--rate N] [--model FILE] [--telemetry FOLDER] [--quick] [--json FILE]
// npm run bench -- transforms [--events N] [--rounds N] [--quick] [--json FILE]
// npm run bench -- training [--rounds N] [--quick] [--json FILE]
// npm run bench -- choices [--events N] [--rounds N] [--model FILE] [--quick] [--json FILE]
// npm run bench -- decisions [--events N] [--rounds N] [--quick] [--json FILE]
// npm run bench -- telemetry [--events N] [--rounds N] [--quick] [--json FILE]
// npm run bench -- tracing [--events N] [--rounds N] [--quick] [--json FILE]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const USAGE = `usage: npm run bench -- pairs [--pair from:to …] [--rounds N] [--seconds N] [--quick] [--json FILE]
       npm run bench -- core [--events N] [--rounds N] [--quick] [--json FILE]
       npm run bench -- fields [--events N] [--rounds N] [--quick] [--json FILE]
       npm run bench -- schemas [--events N] [--rounds N] [--quick] [--json FILE]
       npm run bench -- rules [--kind KIND …] [--peers] [--rounds N] [--quick] [--json FILE]
       npm run bench -- routing [--families train|held-out|all|NAME …] [--seeds N] [--other-seeds N] [--model FILE] [--quick] [--out FOLDER]
       npm run bench -- routing-train [--seeds N] [--rounds N] [--quick] [--out FILE]
       npm run bench -- routing-live [--rounds N] [--rate N] [--model FILE] [--telemetry FOLDER] [--quick] [--json FILE]
       npm run bench -- transforms [--events N] [--rounds N] [--quick] [--json FILE]
       npm run bench -- training [--rounds N] [--quick] [--json FILE]
       npm run bench -- choices [--events N] [--rounds N] [--model FILE] [--quick] [--json FILE]
       npm run bench -- decisions [--events N] [--rounds N] [--quick] [--json FILE]
       npm run bench -- telemetry [--events N] [--rounds N] [--quick] [--json FILE]
       npm run bench -- tracing [--events N] [--rounds N] [--quick] [--json FILE]
`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    pair: { type: 'string', multiple: true, default: [] },
    kind: { type: 'string', multiple: true, default: [] },
    peers: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    events: { type: 'string' },
    families: { type: 'string', multiple: true, default: [] },
    seeds: { type: 'string' },
    'other-seeds': { type: 'string' },
    out: { type: 'string' },
    rate: { type: 'string' },
    model: { type: 'string' },
    telemetry: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const { quick, json } = values;
const number = (text: string | undefined, usual: number): number => (text === undefined ? usual : Number(text));
const rounds = number(values.rounds, quick ? 3 : 7);

// Loaded only when wanted: the raw loop's process should hold nothing but its clients.
switch (positionals[0]) {
  case 'pairs': {
    const { benchPairs } = await import('./pairs/command.ts');
    const seconds = number(values.seconds, quick ? 2 : 4);
    process.exitCode = (await benchPairs({ pairs: values.pair, rounds, seconds, quick, json })) ? 0 : 1;
    break;
  }
  case 'core': {
    const { benchCore } = await import('./core.ts');
    const result = await benchCore({ events: number(values.events, quick ? 200_000 : 1_000_000), rounds });
    const rates = result.eventsPerCpuSecond.map((rate) => Math.round(rate).toLocaleString('en')).join(' ');
    process.stdout.write(
      `events per CPU-second: median ${Math.round(result.median).toLocaleString('en')} (${rates})\n`,
    );
    process.stdout.write(`settled ${result.settled} of ${result.events * rounds}\n`);
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, undefined, 2)}\n`);
    break;
  }
  case 'fields': {
    const { benchFields } = await import('./fields.ts');
    const rows = benchFields({ events: number(values.events, quick ? 100_000 : 500_000), rounds });
    process.stdout.write('                      µs CPU   rate ÷ JSON.parse\n');
    for (const { name, microseconds, ratio } of rows)
      process.stdout.write(
        `${name.padEnd(20)} ${microseconds.toFixed(2).padStart(7)} ${ratio.toFixed(2).padStart(12)}\n`,
      );
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, undefined, 2)}\n`);
    break;
  }
  case 'telemetry': {
    const { benchTelemetry, telemetryText } = await import('./telemetry.ts');
    const rows = await benchTelemetry({
      events: number(values.events, quick ? 20_000 : 40_000),
      rounds,
      targets: [2, 8, 64],
    });
    process.stdout.write(telemetryText(rows));
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, undefined, 2)}\n`);
    break;
  }
  case 'tracing': {
    const { benchTracing, tracingText } = await import('./tracing.ts');
    const rows = await benchTracing({ events: number(values.events, quick ? 200_000 : 500_000), rounds });
    process.stdout.write(tracingText(rows));
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, undefined, 2)}\n`);
    break;
  }
  case 'schemas': {
    const { benchSchemas } = await import('./schemas.ts');
    const rows = benchSchemas({ events: number(values.events, quick ? 100_000 : 500_000), rounds });
    process.stdout.write('                          µs CPU   × JSON.parse\n');
    for (const { name, microseconds, ratio } of rows)
      process.stdout.write(
        `${name.padEnd(24)} ${microseconds.toFixed(2).padStart(7)} ${ratio.toFixed(2).padStart(12)}\n`,
      );
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, undefined, 2)}\n`);
    break;
  }
  case 'rules': {
    const { benchRules } = await import('./rules/command.ts');
    const { kind: kinds, peers } = values;
    process.exitCode = (await benchRules({ quick, peers, rounds, kinds, json })) ? 0 : 1;
    break;
  }
  case 'rules-part': {
    const { runPart } = await import('./rules/part.ts');
    await runPart(JSON.parse(positionals[1] ?? ''));
    break;
  }
  case 'transforms': {
    const { benchTransforms } = await import('./transforms.ts');
    const results = await benchTransforms({ events: number(values.events, quick ? 50_000 : 300_000), rounds });
    for (const { name, eventsPerCpuSecond, addedCpuUs, perSecond } of results) {
      const rate = Math.round(eventsPerCpuSecond).toLocaleString('en').padStart(10);
      const wall = Math.round(perSecond).toLocaleString('en').padStart(10);
      process.stdout.write(`${name.padEnd(34)}${rate}/CPU-s ${addedCpuUs.toFixed(2).padStart(7)} µs more ${wall}/s\n`);
    }
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, undefined, 2)}\n`);
    break;
  }
  case 'routing': {
    const { benchRouting } = await import('./routing/command.ts');
    const out = values.out ?? `bench/results/${quick ? 'routing-quick' : 'routing'}`;
    const { families } = values;
    const heldOut = number(values.seeds, quick ? 3 : 20);
    const seeds = { heldOut, others: number(values['other-seeds'], heldOut) };
    const { model } = values;
    process.exitCode = (await benchRouting({ quick, families, out, seeds, model })) ? 0 : 2;
    break;
  }
  case 'routing-train': {
    const { trainForRouting } = await import('./routing/train.ts');
    const { DEMO_MODEL } = await import('./routing/model.ts');
    const out = values.out ?? DEMO_MODEL;
    trainForRouting({ seeds: number(values.seeds, quick ? 4 : 16), rounds: number(values.rounds, 3), out });
    break;
  }
  case 'training': {
    const { benchTraining, trainingText } = await import('./training.ts');
    const figures = await benchTraining(quick ? 20_000 : 100_000, 100 * rounds);
    process.stdout.write(trainingText(figures));
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, undefined, 2)}\n`);
    break;
  }
  case 'choices': {
    const { benchChoices, choicesText } = await import('./choices.ts');
    const events = number(values.events, quick ? 100_000 : 500_000);
    const costs = await benchChoices({ events, rounds, model: values.model });
    process.stdout.write(choicesText(costs));
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(costs, undefined, 2)}\n`);
    break;
  }
  case 'decisions': {
    const { benchDecisions, benchScoring, decisionsText } = await import('./decisions.ts');
    const events = number(values.events, quick ? 20_000 : 100_000);
    const targets = [2, 8, 64];
    const decisions = benchDecisions({ events, rounds, targets });
    const scoring = await benchScoring(quick ? 100 : 500, targets);
    process.stdout.write(decisionsText(decisions, scoring));
    if (json !== undefined) writeFileSync(json, `${JSON.stringify({ decisions, scoring }, undefined, 2)}\n`);
    break;
  }
  case 'routing-live': {
    const { benchRoutingLive } = await import('./routing-live/command.ts');
    process.exitCode = (await benchRoutingLive({
      quick,
      rounds: number(values.rounds, quick ? 2 : 10),
      perSecond: number(values.rate, 300),
      model: values.model,
      telemetry: values.telemetry,
      json: json ?? `bench/results/${quick ? 'routing-live-quick' : 'routing-live'}.json`,
    }))
      ? 0
      : 1;
    break;
  }
  case 'raw': {
    const { runRaw } = await import('./raw/main.ts');
    await runRaw(positionals[1] ?? '');
    break;
  }
  default:
    process.stderr.write(USAGE);
    process.exitCode = 2;
}
