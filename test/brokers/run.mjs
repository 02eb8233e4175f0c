import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { resolveJars } from './jars.mjs';
import { becomeFree, freePort } from './ports.mjs';
import { isAlive, launch, signalGroup, terminate, waitGone, waitStopped } from './process.mjs';
import { accepts, waitReady } from './ready.mjs';
import { readState, removeState, writeState } from './state.mjs';

/** @typedef {import('./index.mjs').BrokerName} BrokerName */
/** @typedef {import('./index.mjs').BrokerSettings} BrokerSettings */
/** @typedef {import('./spec.mjs').BrokerSpec} BrokerSpec */
/** @typedef {import('./state.mjs').BrokerState} BrokerState */

const PROBE_TIMEOUT_MS = 2_000;

/** The brokers of one folder: what was started there is in its state file, and only that is stopped. */
export class BrokerRun {
  /**
   * @param {string} dir
   * @param {{ log: (line: string) => void, startTimeoutMs: number, removeDir: boolean }} options
   */
  constructor(dir, { log, startTimeoutMs, removeDir }) {
    this.dir = dir;
    this.log = log;
    this.startTimeoutMs = startTimeoutMs;
    this.state = readState(dir) ?? { removeDir, brokers: {} };
  }

  /**
   * Starts a broker, or what is missing of it, on the ports and the data it had before.
   * @param {BrokerSpec} spec
   * @param {BrokerSettings} [settings] those of its earlier start when left out
   * @returns {Promise<BrokerState>}
   */
  async start(spec, settings) {
    const began = Date.now();
    const broker = await this.#place(spec, settings);
    const jars = spec.pom === undefined ? '' : await resolveJars(spec.pom, this.log, spec.unpack);
    const context = { dir: join(this.dir, spec.name), ports: broker.ports, settings: broker.settings, jars };
    mkdirSync(context.dir, { recursive: true });
    await spec.prepare(context);
    for (const command of spec.commands(context)) {
      if (broker.processes.some((ref) => ref.id === command.id && isAlive(ref))) continue;
      const env = { ...cleanEnvironment(), ...command.env };
      const ref = await launch({ ...command, env, cwd: context.dir, log: broker.log });
      broker.processes = [...broker.processes.filter(({ id }) => id !== command.id), ref];
      this.#save();
      if (command.awaitPort !== undefined) await this.#ready(spec, broker, () => accepts(command.awaitPort ?? 0));
    }
    await this.#ready(spec, broker, () => spec.probe(broker.url, PROBE_TIMEOUT_MS));
    this.log(`${spec.name} is ready after ${((Date.now() - began) / 1000).toFixed(1)} s`);
    return broker;
  }

  /**
   * Stops a broker and keeps its data and its ports.
   * @param {BrokerName} name
   */
  async stop(name) {
    for (const ref of [...this.broker(name).processes].reverse()) await terminate(ref);
    this.broker(name).processes = [];
    this.#save();
  }

  /**
   * @param {BrokerName} name
   * @param {NodeJS.Signals} signal
   */
  async kill(name, signal) {
    const main = this.broker(name).processes.at(-1);
    if (main === undefined || !isAlive(main)) throw new Error(`${name} is not running`);
    signalGroup(main, signal);
    if (signal === 'SIGKILL') await waitGone(main, 5_000);
    if (signal === 'SIGSTOP') await waitStopped(main);
  }

  /** Stops everything and forgets it. */
  async stopAll() {
    const names = /** @type {BrokerName[]} */ (Object.keys(this.state.brokers));
    const results = await Promise.allSettled(names.map((name) => this.stop(name)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    removeState(this.dir);
    if (this.state.removeDir) rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 });
    this.state.brokers = {};
  }

  /**
   * @param {BrokerName} name
   * @returns {BrokerState}
   */
  broker(name) {
    const broker = this.state.brokers[name];
    if (broker === undefined) throw new Error(`${name} was not started by this run`);
    return broker;
  }

  /** @param {BrokerName} name */
  isRunning(name) {
    const broker = this.state.brokers[name];
    return broker !== undefined && broker.processes.length > 0 && broker.processes.every(isAlive);
  }

  /**
   * The broker's place in the state: its old one, or a new one with ports of its own.
   * @param {BrokerSpec} spec
   * @param {BrokerSettings | undefined} settings
   * @returns {Promise<BrokerState>}
   */
  async #place(spec, settings) {
    const known = this.state.brokers[spec.name];
    if (known !== undefined) {
      if (settings !== undefined) known.settings = settings;
      if (known.processes.some(isAlive) || (await becomeFree(Object.values(known.ports)))) return known;
      throw new Error(
        `another process has taken a port of ${spec.name} (${JSON.stringify(known.ports)}) while it was stopped`,
      );
    }
    const ports = Object.fromEntries(await Promise.all(spec.ports.map(async (port) => [port, await freePort()])));
    const log = join(this.dir, `${spec.name}.log`);
    const broker = { url: spec.url(ports), log, ports, settings: settings ?? {}, processes: [] };
    this.state.brokers[spec.name] = broker;
    this.#save();
    return broker;
  }

  /**
   * @param {BrokerSpec} spec
   * @param {BrokerState} broker
   * @param {() => Promise<void>} probe
   */
  #ready(spec, broker, probe) {
    return waitReady({ name: spec.name, broker, probe, timeoutMs: this.startTimeoutMs });
  }

  #save() {
    writeState(this.dir, this.state);
  }
}

/** The environment without what would reach into a broker's own settings. */
function cleanEnvironment() {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([key]) => !/^(RABBITMQ_|ERL_|NOTIFY_SOCKET$|CLASSPATH$)/.test(key)));
}
