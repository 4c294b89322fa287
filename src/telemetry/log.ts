import { pino } from 'pino';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Values beside a message. Names in camelCase with their unit (`delayMs`); an Error is written with its name, code, message and stack. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * What every part writes its operational log through. Messages are in the past tense with a capital letter ("Watch ended"), what varies is
 * in the fields. Never per event or per node at `info`.
 */
export type Log = {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with fields on every line. */
  with(fields: LogFields): Log;
};

export type LogOptions = {
  readonly level: LogLevel;
  /** Which process speaks: `controller`, `webhook`, `agent`. */
  readonly component: string;
  /** Where lines go; standard error by default, standard output belongs to data. */
  readonly destination?: { write(line: string): void };
};

export function createLog(options: LogOptions): Log {
  const settings = {
    level: options.level,
    base: { component: options.component },
    messageKey: 'message',
    errorKey: 'error',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: pino.stdSerializers.err },
  };
  return wrap(pino(settings, options.destination ?? pino.destination({ dest: 2, sync: true })));
}

/** For tests and for those who have nobody to tell. */
export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};

type PinoLogger = ReturnType<typeof pino>;

function wrap(logger: PinoLogger): Log {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    with: (fields) => wrap(logger.child(fields)),
  };
}
