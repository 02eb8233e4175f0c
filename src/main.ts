#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { EXIT, ExitError } from './cli/exit.ts';
import { DEFAULT_CONFIG } from './cli/load.ts';

const program = new Command('fairlead')
  .description('Event-mesh gateway and smart router across Kafka, RabbitMQ, MQTT, Amazon SQS and HTTP')
  .showHelpAfterError()
  .exitOverride();

const withConfig = (command: Command): Command =>
  command.option('-c, --config <file>', 'configuration file', process.env['FAIRLEAD_CONFIG'] ?? DEFAULT_CONFIG);

// Each command is loaded when it is used: `fairlead lint` needs no broker client.
withConfig(program.command('run').description('run the gateway until SIGTERM, which drains it')).action(
  async (options: { config: string }) => (await import('./cli/run.ts')).run(options),
);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = codeFor(error);
}

function codeFor(error: unknown): number {
  if (error instanceof ExitError) {
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.runtime;
}
