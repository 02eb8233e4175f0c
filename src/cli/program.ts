import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../core/duration.ts';
import { DEFAULT_CONFIG } from './load.ts';

/** Where models stand. */
const DEFAULT_MODELS = './models';
/** Rows of telemetry that training keeps. */
const DEFAULT_MAX_ROWS = 300_000;
/** Simulated scenarios of each family that the gate asks for. */
const DEFAULT_SCENARIOS = 3;

/** The version of the package. */
export function version(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return manifest.version;
}

/** The command tree. Each command is loaded when it is used: `fairlead lint` needs no broker. */
export function createProgram(): Command {
  const program = new Command('fairlead')
    .description('Event-mesh gateway and smart router across Kafka, RabbitMQ, MQTT, Amazon SQS and HTTP')
    .version(version())
    .showHelpAfterError('("fairlead --help" shows the commands and "fairlead COMMAND --help" their options)')
    .exitOverride()
    .hook('preAction', (_program, command) => {
      if (command.opts()['color'] === false) process.env['NO_COLOR'] = '1';
    });
  build(program);
  operate(program);
  deadLetters(program);
  models(program);
  return program;
}

function build(program: Command): void {
  add(program, 'demo', 'run the embedded demo: an MQTT broker, an HTTP ingress and traffic through real routes')
    .option('--duration <time>', 'stop after this long, e.g. 10s (default: run until Ctrl-C)', duration)
    .option('--rate <n>', 'simulated sensor events per second', wholeNumber, 100)
    .option('--mqtt-port <port>', 'first port tried for MQTT', wholeNumber, 1883)
    .option('--http-port <port>', 'first port tried for HTTP', wholeNumber, 4200)
    .action(async (options) => (await import('./demo.ts')).demo(options));
  add(program, 'init [file]', 'write a commented starter configuration and its JSON Schema')
    .option('--yes', 'overwrite what is there')
    .action(async (file: string | undefined, options) => (await import('./init.ts')).init(file, options));
  withConfig(add(program, 'lint [file]', 'say what is wrong with a configuration, with line and column'))
    .option('--strict', 'fail on warnings too')
    .addOption(output('text', 'json'))
    .action(async (file: string | undefined, options) => (await import('./lint.ts')).lint(file, options));
  withConfig(add(program, 'test', 'run the route tests of a configuration: given an event, these legs'))
    .option('--filter <text>', 'only tests whose name contains this')
    .addOption(output('text', 'json'))
    .action(async (options) => (await import('./test.ts')).test(options));
  withConfig(
    add(program, 'explain <event>', 'say what every route makes of an event: a CloudEvent in JSON, or - for stdin'),
  )
    .option('--source <name>', 'the source it comes from (default: each of them)')
    .option('--now <timestamp>', 'as if it were then, for routes with a time window')
    .option('--telemetry <directory>', 'what choices decide by (default: telemetry.path in the file)')
    .option('--model <file>', 'an ONNX file that predictive choices ask instead of their model')
    .option('--features', 'every feature of every candidate of a choice')
    .addOption(output('table', 'json', 'yaml'))
    .action(async (event: string, options) => (await import('./explain.ts')).explain(event, options));
  withConfig(add(program, 'decisions', 'show the last recorded decisions of choices: who was a candidate, and why'))
    .option('--telemetry <directory>', 'where they were recorded (default: telemetry.path in the file)')
    .option('--choice <name>', 'only of this choice')
    .option('-n, --last <n>', 'so many', between(1, 10_000), 5)
    .option('--features', 'every feature of every candidate')
    .addOption(output('text', 'json'))
    .action(async (options) => (await import('./decisions.ts')).decisions(options));
  withConfig(add(program, 'echo', 'print the configuration as it was understood, secrets redacted'))
    .addOption(output('yaml', 'json'))
    .action(async (options) => (await import('./echo.ts')).echo(options));
  add(program, 'schema', 'print the JSON Schema of the configuration').action(async () =>
    (await import('./schema.ts')).schema(),
  );
}

function operate(program: Command): void {
  withStore(add(program, 'run', 'run the gateway until SIGTERM or SIGINT, which drain it'))
    .addOption(
      new Option('--log-level <level>', 'instead of log.level in the file')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .env('FAIRLEAD_LOG_LEVEL'),
    )
    .addOption(
      new Option('--heartbeat <file>', 'touch this file every 5 s, for health checks').env('FAIRLEAD_HEARTBEAT'),
    )
    .option('--no-watch', 'reload on SIGHUP only, not when the file or one that it refers to changes')
    .option('--dry-run', 'read and explain events instead; nothing is sent, settled or stored')
    .option('--limit <n>', 'with --dry-run: at most this many events, up to 100000 (default: 100)', wholeNumber)
    .addOption(output('text', 'json'))
    .action(async (options) => (await import('./run.ts')).run(options));
  withConfig(add(program, 'check', 'connect to every broker and say what is wrong'))
    .option('--timeout <time>', 'bound for each source and target', duration, 15_000)
    .addOption(output('table', 'json'))
    .action(async (options) => (await import('./check.ts')).check(options));
  withConfig(add(program, 'publish', 'send events to a target, or to a place on a broker, and wait for confirmation'))
    .option('--target <name>', 'a target of the configuration')
    .option('--broker <name>', 'a broker of the configuration, with --at')
    .option('--at <field=value>', "a field of the broker's targets, e.g. topic=orders (repeatable)", collect)
    .option('--type <type>', 'attribute type', 'io.fairlead.publish')
    .option('--source <source>', 'attribute source', '/fairlead/cli')
    .option('--subject <subject>', 'attribute subject')
    .option('--ext <name=value>', 'extension attribute (repeatable)', collect)
    .option('--data <data>', 'the data: text, @file, or - for stdin')
    .option('--content-type <type>', 'attribute datacontenttype (default: told from the data)')
    .option('--count <n>', 'number of events, each with its own id', wholeNumber, 1)
    .option('--timeout <time>', 'bound of the whole command', duration, 30_000)
    .action(async (options) => (await import('./publish.ts')).publish(options));
}

function deadLetters(program: Command): void {
  const dlq = program.command('dlq').description('dead letters in the local store, also beside a running gateway');
  withStore(add(dlq, 'ls', 'list dead letters, oldest first'))
    .option('--route <name>', 'only of this route')
    .option('--code <code>', 'only with this cause, e.g. E_UNMATCHED')
    .option('--source <name>', 'only from this source')
    .option('--target <name>', 'only for this target')
    .option('--after <id>', 'only after this id (the next page)')
    .option('--limit <n>', 'at most this many, up to 1000', wholeNumber, 50)
    .addOption(output('table', 'json'))
    .action(async (options) => (await import('./dlq-ls.ts')).dlqList(options));
  withStore(add(dlq, 'show <id>', 'show one dead letter: cause, position, attributes and data'))
    .option('--raw', 'write the verbatim bytes only')
    .addOption(
      new Option('--as <form>', 'how to show the data').choices(['auto', 'json', 'text', 'hex']).default('auto'),
    )
    .addOption(output('text', 'json'))
    .action(async (id: string, options) => (await import('./dlq-show.ts')).dlqShow(id, options));
}

function models(program: Command): void {
  const model = program
    .command('model')
    .description('models that predict how targets will do: train, measure, put in force');
  const rows = (command: Command): Command =>
    command
      .requiredOption('--data <path>', 'file of telemetry or of rows, or a folder of them (repeatable)', gather)
      .option('--no-ahead', 'only rows as of the send, none as of one to two seconds before')
      .option('--max-rows <n>', 'keep at most this many rows, the last', between(1, 5_000_000), DEFAULT_MAX_ROWS)
      .option(
        '--scenarios <n>',
        'simulated scenarios of each of twelve families that it decides; 0: none',
        between(0, 50),
        DEFAULT_SCENARIOS,
      )
      .addOption(output('text', 'json'));
  rows(withModels(add(model, 'train', 'train a model on telemetry, measure it, and keep it as the next version')))
    .option('--name <name>', 'the model that it is a version of')
    .option('--out <file>', 'write the ONNX file there, too')
    .option('--last <duration>', 'only rows of the last so much time, e.g. 6h', duration)
    .option('--trees <n>', 'most trees of each of the three parts (default: 60)', between(1, 500))
    .option('--depth <n>', 'most levels of a tree (default: 5)', between(1, 12))
    .option('--seed <n>', 'seed of all that is random (default: 1)', wholeNumber)
    .option('--promote', 'put it in force if it passes the gate')
    .action(async (options) => (await import('./model-train.ts')).modelTrain(options));
  rows(withModels(add(model, 'eval', 'hold a model against telemetry, plain averages and the version in force')))
    .argument('<model>', 'an ONNX file, or NAME@VERSION')
    .option('--against <name>', 'compare with the version in force of that model (default: of the same)')
    .action(async (file: string, options) => (await import('./model-eval.ts')).modelEval(file, options));
  add(model, 'rows', 'write telemetry as rows to train on elsewhere, one JSON object per line')
    .requiredOption('--data <path>', 'file of telemetry or of rows, or a folder of them (repeatable)', gather)
    .option('--no-ahead', 'only rows as of the send, none as of one to two seconds before')
    .action(async (options) => (await import('./model-rows.ts')).modelRows(options));
  withModels(add(model, 'promote', 'put a version in force'))
    .argument('<name>')
    .argument('<version>', '', wholeNumber)
    .option('--force', 'even if it did not pass the gate')
    .action(async (name: string, version: number, options) =>
      (await import('./model-versions.ts')).modelPromote(name, version, options),
    );
  withModels(add(model, 'rollback <name>', 'put the version before in force again')).action(
    async (name: string, options) => (await import('./model-versions.ts')).modelRollback(name, options),
  );
  withModels(add(model, 'ls', 'list the versions of every model'))
    .addOption(output('table', 'json'))
    .action(async (options) => (await import('./model-versions.ts')).modelList(options));
}

function withModels(command: Command): Command {
  return command.addOption(
    new Option('--models <directory>', 'the folder of models').env('FAIRLEAD_MODELS').default(DEFAULT_MODELS),
  );
}

function gather(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

function add(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description).option('--no-color', 'no colours (also NO_COLOR)');
}

function withConfig(command: Command): Command {
  return command.addOption(
    new Option('-c, --config <file>', 'configuration file').env('FAIRLEAD_CONFIG').default(DEFAULT_CONFIG),
  );
}

function withStore(command: Command): Command {
  return withConfig(command).addOption(
    new Option('--store <directory>', 'the store, instead of store.path in the file').env('FAIRLEAD_STORE'),
  );
}

function output(first: string, ...others: string[]): Option {
  return new Option('-o, --output <format>', 'output format').choices([first, ...others]).default(first);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = wholeNumber(text);
    if (value < least || value > most) throw new InvalidArgumentError(`expected ${least} to ${most}`);
    return value;
  };
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('expected a duration, e.g. 500ms, 10s or 2m');
  return ms;
}

function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  if (!/^[^=]+=/.test(text)) throw new InvalidArgumentError('expected name=value');
  return [...(before ?? []), text];
}
