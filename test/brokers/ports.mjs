import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LOWEST = 12_000;

/** Ports handed out by this process, so that two brokers never get the same one. */
const taken = new Set();

/**
 * Where the system's own (ephemeral) ports begin. Brokers listen below it: a client that keeps
 * reconnecting to a stopped broker would otherwise sooner or later be given the broker's own port
 * as its source port, connect to itself, and keep the broker from coming back.
 */
function ephemeralStart() {
  try {
    const [low] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    return Math.max(Number(low), LOWEST + 1000);
  } catch {
    return 32_768;
  }
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isPortFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * @param {number[]} ports
 * @param {number} [timeoutMs]
 * @returns {Promise<boolean>} whether all of them are free, or become so in time
 */
export async function becomeFree(ports, timeoutMs = 5_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const free = await Promise.all(ports.map(isPortFree));
    if (!free.includes(false)) return true;
    if (Date.now() > deadline) return false;
    await sleep(100);
  }
}

/** @returns {Promise<number>} a port that nobody listens on now, below the ephemeral ones */
export async function freePort() {
  const end = ephemeralStart();
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = LOWEST + Math.floor(Math.random() * (end - LOWEST));
    if (taken.has(port)) continue;
    taken.add(port);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`no free TCP port found between ${LOWEST} and ${end}`);
}
