import { type DestinationStream, type Logger, pino } from 'pino';
import type { Log } from '../core/log.ts';

/** A structured log on stderr (JSON lines); data never goes there, only names, codes and positions. */
export function createLog(
  level: string,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Log {
  return bind(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination));
}

function bind(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => bind(logger.child(fields)),
  };
}
