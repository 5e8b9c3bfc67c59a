import { createLogger, format, transports } from 'winston';
import type { VsyncError } from './errors.ts';
import { LineBatch } from './line-batch.ts';
import type { Secret } from './secret.ts';

/**
 * The log: winston on standard error, for people (`console`) or machines (`json`, with the field names of the Go program).
 * Fields are plain values by type, so that no response body or error object of a client library can get in (R12).
 */

export const logLevels = ['error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>> & {
  // Each line has these of its own.
  readonly time?: never;
  readonly level?: never;
  readonly message?: never;
};

export interface Log {
  log(level: LogLevel, message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** Whether a message of that level is written: to be asked before fields are put together in a loop. */
  isOn(level: LogLevel): boolean;
  /** The same log with fields that are in each of its lines. */
  with(fields: LogFields): Log;
  /** Keeps this text out of every line, whatever goes wrong elsewhere. */
  protect(secret: Secret): void;
  /** Writes what is left. */
  close(): Promise<void>;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly type: 'console' | 'json';
  readonly stream: NodeJS.WritableStream;
  readonly color: boolean;
}

export function openLog(options: LogOptions): Log {
  const secrets = new Set<string>();
  const scrub = (text: string) => {
    let clean = text;
    for (const secret of secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, '[redacted]');
    return clean;
  };
  // Before it is rendered: escaped for JSON or a terminal, a secret is another text.
  const scrubInto = (entry: Entry, fields: LogFields) => {
    for (const name in fields) {
      const value = fields[name];
      entry[scrub(name)] = typeof value === 'string' ? scrub(value) : value;
    }
  };
  const render = options.type === 'json' ? JSON.stringify : consoleLine(options.color);
  const { batch, close } = openBatch(options.stream);
  const isOn = (level: LogLevel) => logLevels.indexOf(level) <= logLevels.indexOf(options.level);
  return bind(
    {
      isOn,
      write: (level, message, common, own) => {
        const entry: Entry = { time: new Date().toISOString(), level, message: scrub(message) };
        scrubInto(entry, common);
        scrubInto(entry, own);
        batch.add(render(entry));
        // What may be the last that is heard of a process does not wait.
        if (level === 'error' || level === 'warn') batch.flush();
      },
      protect: (secret) => {
        // Very short texts would hit words of the log itself.
        if (secret.reveal().length >= 8) secrets.add(secret.reveal());
      },
      close,
    },
    {},
  );
}

/** Lines on their way to winston, which gets those of a moment as one entry: for one each it takes longer than for all the rest. */
function openBatch(stream: NodeJS.WritableStream) {
  const logger = createLogger({
    format: format.printf(({ message }) => message as string),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });
  const batch = new LineBatch((message) => logger.log({ level: 'info', message }));
  const close = () => {
    batch.close();
    return new Promise<void>((resolve) => {
      logger.once('finish', resolve);
      logger.end();
    });
  };
  return { batch, close };
}

/** The fields of a failure, named as in `docs/errors.md`. */
export function errorFields(error: VsyncError): LogFields {
  return {
    error: error.message,
    'error.id': error.code,
    'error.status': error.status,
    'error.retryable': error.retryable,
    'error.why': error.why,
    'error.hint': error.hint,
    'error.note': error.note,
  };
}

/** A line, and its fields beside: one object, since it is made for each secret that changes. */
interface Entry extends Record<string, LogFields[string]> {
  readonly time: string;
  readonly level: LogLevel;
  readonly message: string;
}

/** What all logs of one stream share. */
interface Target extends Pick<Log, 'isOn' | 'protect' | 'close'> {
  readonly write: (level: LogLevel, message: string, common: LogFields, own: LogFields) => void;
}

function bind(target: Target, common: LogFields): Log {
  const { isOn, protect, close } = target;
  const write = (level: LogLevel, message: string, fields: LogFields = {}) => {
    if (isOn(level)) target.write(level, message, common, fields);
  };
  return {
    log: write,
    error: (message, fields) => write('error', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    info: (message, fields) => write('info', message, fields),
    debug: (message, fields) => write('debug', message, fields),
    isOn,
    with: (fields) => bind(target, { ...common, ...fields }),
    protect,
    close,
  };
}

const shortLevels = { error: 'ERR', warn: 'WRN', info: 'INF', debug: 'DBG', trace: 'TRC' } as const;
const levelColors = { error: 31, warn: 33, info: 32, debug: 36, trace: 90 } as const;

/** Fields that only machines need. */
const machineFields = new Set([
  'role',
  'name',
  'event',
  'cycle',
  'durationMs',
  'error.status',
  'error.retryable',
]);

/** The parts of a failure, each on a line of its own below the message. */
const errorLines = [
  ['error', 'what'],
  ['error.why', 'why'],
  ['error.hint', 'fix'],
  ['error.note', 'note'],
  ['error.id', 'id'],
] as const;

/** `15:04:05 INF message  key=value ...` in local time, and below it the parts of a failure. */
function consoleLine(color: boolean) {
  const paint = (code: number, text: string) => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  return ({ time: at, level, message, ...fields }: Entry) => {
    const time = new Date(at).toTimeString().slice(0, 8);
    const pairs = Object.entries(fields)
      .filter(([key, value]) => value !== undefined && !machineFields.has(key) && !key.startsWith('error'))
      .map(([key, value]) => `${paint(90, `${key}=`)}${readable(String(value))}`);
    const tail = pairs.length === 0 ? '' : `  ${pairs.join(' ')}`;
    const parts = errorLines.flatMap(([key, label]) => {
      const value = fields[key];
      if (value === undefined || value === message) return [];
      return [
        `\n         ${paint(90, `${label}:`.padEnd(5))} ${printable(String(value)).replaceAll('\\u{a}', '\n               ')}`,
      ];
    });
    const line = `${paint(90, time)} ${paint(levelColors[level], shortLevels[level])} ${printable(message)}${tail}`;
    return `${line}${parts.join('')}`;
  };
}

/** A value in quotes when it would not be one word; never more than one line. */
function readable(value: string): string {
  return /^[^\s"=\p{C}]+$/u.test(value) ? value : printable(JSON.stringify(value));
}

/** Control characters, which could move a terminal's cursor, as escapes. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
