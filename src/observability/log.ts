import { type DestinationStream, type Logger, pino } from 'pino';
import type { Log } from '../core/log.ts';

const LEVELS = { debug: 20, info: 30, warn: 40, error: 50, silent: 60 } as const;

export type LogLevel = keyof typeof LEVELS;

/** A log whose level can be changed, also for all its children. */
export interface LeveledLog extends Log {
  setLevel(level: LogLevel): void;
}

/** A structured log on stderr (JSON lines); data never goes there, only names, codes and positions. */
export function createLog(
  level: LogLevel,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): LeveledLog {
  const least = { level: LEVELS[level] as number };
  const logger = pino({ level: 'debug', base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  return {
    ...bind(logger, least),
    setLevel(next) {
      least.level = LEVELS[next];
    },
  };
}

function bind(logger: Logger, least: { readonly level: number }): Log {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void => {
      if (LEVELS[level] >= least.level) logger[level](fields, message);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => bind(logger.child(fields), least),
  };
}
