/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  runtime: 1,
  usage: 2,
  config: 3,
  testsFailed: 4,
  partial: 5,
  unreachable: 6,
  auth: 7,
} as const;

/** Ends a command with a code and a sentence on stderr. */
export class ExitError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
