import { createLogger, format, type Logger, transports } from 'winston';
import type { VsyncError } from './errors.ts';
import type { Secret } from './secret.ts';

/**
 * The log: winston on standard error, for people (`console`) or machines (`json`, with the field names of the Go program).
 * Fields are plain values by type, so that no response body or error object of a client library can get in (R12).
 */

export const logLevels = ['error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

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
  const scrubbed = ({ level, message, fields }: Entry): Entry => {
    const clean: Record<string, LogFields[string]> = {};
    for (const name in fields) {
      const value = fields[name];
      clean[scrub(name)] = typeof value === 'string' ? scrub(value) : value;
    }
    return { level, message: scrub(message), fields: clean };
  };
  const render = options.type === 'json' ? jsonLine : consoleLine(options.color);
  const logger = createLogger({
    levels: Object.fromEntries(logLevels.map((level, i) => [level, i])),
    level: options.level,
    // Left out, winston would make JSON of each entry, which nobody reads.
    format: format((entry) => entry)(),
    transports: [
      new transports.Stream({
        stream: options.stream,
        eol: '\n',
        // On the transport, not the logger: there it would run before the level is looked at.
        format: format.printf((entry) => render(scrubbed(entry as unknown as Entry))),
      }),
    ],
  });
  const isOn = (level: LogLevel) => logLevels.indexOf(level) <= logLevels.indexOf(options.level);
  return bind(logger, isOn, {}, (secret) => {
    // Very short texts would hit words of the log itself.
    if (secret.reveal().length >= 8) secrets.add(secret.reveal());
  });
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

interface Entry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

function bind(logger: Logger, isOn: Log['isOn'], common: LogFields, protect: (secret: Secret) => void): Log {
  const write = (level: LogLevel, message: string, fields: LogFields = {}) => {
    if (isOn(level)) logger.log({ level, message, fields: { ...common, ...fields } });
  };
  return {
    log: write,
    error: (message, fields) => write('error', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    info: (message, fields) => write('info', message, fields),
    debug: (message, fields) => write('debug', message, fields),
    isOn,
    with: (fields) => bind(logger, isOn, { ...common, ...fields }, protect),
    protect,
    close: () =>
      new Promise((resolve) => {
        logger.once('finish', resolve);
        logger.end();
      }),
  };
}

function jsonLine({ level, message, fields }: Entry): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
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
  return ({ level, message, fields }: Entry) => {
    const time = new Date().toTimeString().slice(0, 8);
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
