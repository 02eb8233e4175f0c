import { setTimeout as sleep } from 'node:timers/promises';

/** Schemes that the probes speak; for others (TLS) the variable is taken at its word. */
const PLAIN = /^(kafka|amqp|mqtt|http):/;

/**
 * Checks that a broker whose URL came with the environment answers.
 * @param {import('./spec.mjs').BrokerSpec} spec
 * @param {string} url
 * @param {number} [timeoutMs]
 */
export async function checkProvided(spec, url, timeoutMs = 10_000) {
  if (!PLAIN.test(url)) return;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await spec.probe(url, 2_000);
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(
          `${spec.variable} is set, but no ${spec.name} answers there: ${/** @type {Error} */ (error).message}.\n` +
            `Start that broker, or unset ${spec.variable} to have one started here.`,
          { cause: error },
        );
      }
      await sleep(200);
    }
  }
}
