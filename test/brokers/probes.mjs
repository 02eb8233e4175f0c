import { connect } from 'node:net';

/**
 * Connects, sends the first payload, and lets `step` judge what came back, until it says `done`.
 * @param {{ host: string, port: number, payload: Buffer, timeoutMs: number }} target
 * @param {(received: Buffer) => 'more' | 'done' | Buffer} step a Buffer is sent as the next payload
 * @returns {Promise<void>}
 */
function exchange({ host, port, payload, timeoutMs }, step) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let received = Buffer.alloc(0);
    /** @param {Error} [error] */
    const finish = (error) => {
      clearTimeout(timer);
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    const timer = setTimeout(() => finish(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    socket.once('error', finish);
    socket.once('close', () => finish(new Error('connection closed before the answer was complete')));
    socket.once('connect', () => socket.write(payload));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        const next = step(received);
        if (next === 'done') finish();
        else if (next !== 'more') {
          received = Buffer.alloc(0);
          socket.write(next);
        }
      } catch (error) {
        finish(/** @type {Error} */ (error));
      }
    });
  });
}

/**
 * The first host and port of a broker URL (Kafka's may list several).
 * @param {string} url
 * @param {number} defaultPort
 */
function address(url, defaultPort) {
  const { hostname, port } = new URL(url.replace(/,.*$/, ''));
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || defaultPort };
}

/** @param {string} text */
function shortString(text) {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}

/** @param {Buffer} body */
function sized(body) {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(body.length);
  return Buffer.concat([size, body]);
}

/**
 * Asks for metadata: ready when the node itself is listed as a live broker.
 * @param {string} url
 * @param {number} timeoutMs
 */
export function probeKafka(url, timeoutMs) {
  // Metadata v4: api key, version, correlation id, null client id, no topics, no auto-creation.
  const request = Buffer.from([0, 3, 0, 4, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0, 0]);
  return exchange({ ...address(url, 9092), payload: sized(request), timeoutMs }, (received) => {
    if (received.length < 16) return 'more';
    // Size, correlation id, throttle time, then the number of brokers.
    if (received.readInt32BE(12) < 1) throw new Error('the node has not joined its own cluster yet');
    return 'done';
  });
}

/**
 * Logs in with the URL's user: ready when the server offers to tune the connection.
 * @param {string} url
 * @param {number} timeoutMs
 */
export function probeRabbitmq(url, timeoutMs) {
  const { username, password } = new URL(url);
  const login = `\0${decodeURIComponent(username) || 'guest'}\0${decodeURIComponent(password) || 'guest'}`;
  const startOk = Buffer.concat([
    Buffer.from([0, 10, 0, 11]), // connection.start-ok
    sized(Buffer.alloc(0)), // client properties
    shortString('PLAIN'),
    sized(Buffer.from(login)),
    shortString('en_US'),
  ]);
  const frame = Buffer.concat([Buffer.from([1, 0, 0]), sized(startOk), Buffer.from([0xce])]);
  const payload = Buffer.from('AMQP\x00\x00\x09\x01', 'latin1');
  return exchange({ ...address(url, 5672), payload, timeoutMs }, (received) => {
    if (received.length < 11 || received.length < received.readUInt32BE(3) + 8) return 'more';
    const method = received.readUInt32BE(7);
    if (method === 0x000a_000a) return frame; // connection.start
    if (method === 0x000a_001e) return 'done'; // connection.tune
    throw new Error(`unexpected AMQP method 0x${method.toString(16)}`);
  });
}

/**
 * Ready when a CONNECT is accepted.
 * @param {string} url
 * @param {number} timeoutMs
 */
export function probeMosquitto(url, timeoutMs) {
  const variable = Buffer.concat([Buffer.from([0, 4]), Buffer.from('MQTT'), Buffer.from([4, 2, 0, 10, 0, 0])]);
  const payload = Buffer.concat([Buffer.from([0x10, variable.length]), variable]);
  return exchange({ ...address(url, 1883), payload, timeoutMs }, (received) => {
    if (received.length < 4) return 'more';
    if (received[0] !== 0x20 || received[3] !== 0) throw new Error(`CONNECT refused (code ${received[3]})`);
    return 'done';
  });
}

/**
 * Ready when queues can be listed.
 * @param {string} url
 * @param {number} timeoutMs
 */
export async function probeElasticmq(url, timeoutMs) {
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams({ Action: 'ListQueues' }),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error) => {
    throw error.cause ?? error; // fetch itself only says that it failed
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`ListQueues answered ${response.status}`);
}

/**
 * Ready when it says what kinds of schemas it keeps.
 * @param {string} url
 * @param {number} timeoutMs
 */
export async function probeRegistry(url, timeoutMs) {
  const response = await fetch(`${url}/schemas/types`, { signal: AbortSignal.timeout(timeoutMs) }).catch((error) => {
    throw error.cause ?? error; // fetch itself only says that it failed
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`schemas/types answered ${response.status}`);
}
