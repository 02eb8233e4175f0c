/** Real brokers for tests and benches, started on free ports of 127.0.0.1 without containers. */

export type BrokerName = 'kafka' | 'rabbitmq' | 'mosquitto' | 'elasticmq' | 'registry';

/** Keys of the broker's own configuration file, on top of what the tests use. */
export type BrokerSettings = Record<string, string | number | boolean>;

export interface BrokerEnv {
  FAIRLEAD_TEST_KAFKA_URL?: string;
  FAIRLEAD_TEST_RABBITMQ_URL?: string;
  FAIRLEAD_TEST_MQTT_URL?: string;
  FAIRLEAD_TEST_SQS_URL?: string;
  FAIRLEAD_TEST_REGISTRY_URL?: string;
}

export interface StartOptions {
  /** Which brokers; all but those that are started on demand when left out. */
  names?: readonly BrokerName[];
  /** Folder for data and logs, kept at the end. Default: a temporary one that stop() removes. */
  dir?: string;
  /** Where progress goes, a line at a time. */
  log?: (line: string) => void;
  settings?: Partial<Record<BrokerName, BrokerSettings>>;
  /** How long one broker may take until it answers. Default: 120 000. */
  startTimeoutMs?: number;
}

export interface Brokers {
  /** The folder with the logs. */
  readonly dir: string;
  /** The URLs of the chosen brokers, by the names of their variables. */
  readonly env: BrokerEnv;
  /** Stops all brokers that were started here. Those whose URL came with the environment run on. */
  stop(): Promise<void>;
  /** Stops one broker; its port and data are kept for startOne(). */
  stopOne(name: BrokerName): Promise<void>;
  /** Starts it again, after stopOne() or kill(), on the same port with the same data. */
  startOne(name: BrokerName): Promise<void>;
  restart(name: BrokerName): Promise<void>;
  /** Sends a signal: SIGKILL (the default) for a crash, SIGSTOP and SIGCONT for a freeze. */
  kill(name: BrokerName, signal?: NodeJS.Signals): Promise<void>;
  logFile(name: BrokerName): string;
}

export const BROKER_NAMES: readonly BrokerName[];

/**
 * Starts the brokers and waits until each answers in its own protocol. A broker whose
 * FAIRLEAD_TEST_…_URL is set already is not started: its URL is passed through. One that cannot be
 * had makes the call fail with what to do about it. The brokers end with the calling process.
 */
export function startBrokers(options?: StartOptions): Promise<Brokers>;
