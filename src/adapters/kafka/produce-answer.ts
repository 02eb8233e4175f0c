import { createRequire } from 'node:module';

interface Answer {
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[];
  }[];
}

interface ResponseModule {
  parse(data: Answer): Promise<unknown>;
}

const require = createRequire(import.meta.url);
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };

/** The versions of the Produce API that carry record batches. */
const VERSIONS = [3, 4, 5, 6, 7];

/** Answers by the error that kafkajs made of them. */
const ANSWERS = new WeakMap<object, Answer>();

/**
 * Of a produce answer with errors kafkajs 2.2.4 throws the first and forgets the rest, so that nobody can tell which partitions
 * of the request were appended. This keeps the answer beside the error it throws; nothing else changes.
 */
for (const version of VERSIONS) {
  const module = require(`kafkajs/src/protocol/requests/produce/v${version}/response`) as ResponseModule;
  const { parse } = module;
  module.parse = async (answer) => {
    try {
      return await parse(answer);
    } catch (error) {
      if (error instanceof Error) ANSWERS.set(error, answer);
      throw error;
    }
  };
}

/**
 * What the broker said of each partition of the request that failed with `error` (kafkajs' own, unwrapped): `none` where it
 * appended. Undefined for a partition it said nothing about, and throughout when the error is not an answer.
 */
export function answerFor(error: unknown, topic: string, partition: number): Error | 'none' | undefined {
  const answer = error instanceof Error ? ANSWERS.get(error) : undefined;
  const found = answer?.topics
    .find(({ topicName }) => topicName === topic)
    ?.partitions.find((entry) => entry.partition === partition);
  if (found === undefined) return undefined;
  return found.errorCode === 0 ? 'none' : createErrorFromCode(found.errorCode);
}
