import type { BrokerName, BrokerSettings } from './index.mjs';
import type { Requirement } from './packages.mjs';

/** What a broker needs to know to lay out its folder and its command lines. */
export interface BrokerContext {
  /** The broker's own folder: configuration, data. */
  dir: string;
  ports: Record<string, number>;
  /** Overrides for single keys of the broker's configuration file. */
  settings: BrokerSettings;
  /** The folder of its jars, for a broker that has some. */
  jars: string;
}

export interface Command {
  id: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  /** A port that must accept connections before the next command is started. */
  awaitPort?: number;
}

/** One broker: where it comes from, how it is started, and when it is ready. */
export interface BrokerSpec {
  name: BrokerName;
  /** The variable that carries its URL to the tests. */
  variable: string;
  programs: Requirement[];
  /** Name of the pom with its jars. */
  pom?: string;
  /** The pom names an archive that is unpacked, not jars. */
  unpack?: boolean;
  /** Started only where it is named. */
  onDemand?: boolean;
  /** Names of the ports it listens on. */
  ports: string[];
  url(ports: Record<string, number>): string;
  /** Writes the configuration (before every start) and the data folder (before the first one). */
  prepare(context: BrokerContext): Promise<void>;
  /** The processes in the order they start; the last one is the broker itself. */
  commands(context: BrokerContext): Command[];
  probe(url: string, timeoutMs: number): Promise<void>;
}
