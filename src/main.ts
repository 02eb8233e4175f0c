#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT, ExitError } from './cli/exit.ts';
import { createProgram } from './cli/program.ts';
import { codeOf, FairleadError } from './core/errors.ts';

/** How long, in ms, something that still holds the process may take after a command has ended. */
const LINGER_MS = 2_000;

// A reader that has seen enough (`fairlead dlq ls | head`) is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (codeOf(error) === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
}

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = codeFor(error);
}
setTimeout(() => process.exit(), LINGER_MS).unref();

function codeFor(error: unknown): number {
  if (error instanceof ExitError) {
    if (error.message !== '') process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof FairleadError) {
    process.stderr.write(`${error.code}: ${error.message}\n`);
    return EXIT.runtime;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT.runtime;
}
