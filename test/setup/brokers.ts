/** The URL of a real broker for tests; vitest's global setup (or the caller's environment) provides it. */
export function brokerUrl(name: 'KAFKA' | 'RABBITMQ' | 'MQTT' | 'SQS'): string {
  const url = process.env[`FAIRLEAD_TEST_${name}_URL`];
  if (url === undefined) {
    throw new Error(
      `FAIRLEAD_TEST_${name}_URL is not set: run the tests with "npm test", or start brokers with "npm run brokers -- up"`,
    );
  }
  return url;
}
