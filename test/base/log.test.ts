import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import {
  errorFields,
  type Log,
  type LogFields,
  type LogOptions,
  logLevels,
  openLog,
} from '../../src/base/log.ts';
import { Secret } from '../../src/base/secret.ts';

/** A log and what it wrote. */
async function logged(use: (log: Log) => void, options: Partial<LogOptions> = {}): Promise<string> {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      text += chunk.toString();
      done();
    },
  });
  const log = openLog({ level: 'info', type: 'console', color: false, stream, ...options });
  use(log);
  await log.close();
  return text;
}

const jsonLines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('levels', () => {
  it.each(logLevels)('at %s, that and what is graver is written', async (level) => {
    const text = await logged(
      (log) => {
        for (const each of logLevels) log.log(each, `a ${each}`);
      },
      { level, type: 'json' },
    );
    const written = logLevels.slice(0, logLevels.indexOf(level) + 1);
    expect(jsonLines(text).map((line) => [line.level, line.message])).toEqual(
      written.map((each) => [each, `a ${each}`]),
    );
  });

  it('have a method each', async () => {
    const text = await logged(
      (log) => {
        log.error('e');
        log.warn('w');
        log.info('i');
        log.debug('d');
      },
      { level: 'trace', type: 'json' },
    );
    expect(jsonLines(text).map(({ level }) => level)).toEqual(['error', 'warn', 'info', 'debug']);
  });

  it('can be asked before fields are put together', async () => {
    await logged((log) => {
      expect(logLevels.filter((level) => log.isOn(level))).toEqual(['error', 'warn', 'info']);
      expect(log.with({ a: 1 }).isOn('debug')).toBe(false);
    });
  });
});

describe('a JSON line', () => {
  it('has time, level, message and the fields as they are', async () => {
    const fields = { paths: 3, held: true, path: 'secret/data/a', nothing: undefined, 'error.id': 'X' };
    const [line] = jsonLines(await logged((log) => log.info('cycle done', fields), { type: 'json' }));
    const { time, ...rest } = line as Record<string, unknown>;
    expect(rest).toEqual({
      level: 'info',
      message: 'cycle done',
      paths: 3,
      held: true,
      path: 'secret/data/a',
      'error.id': 'X',
    });
    expect(new Date(String(time)).toISOString()).toBe(time);
  });

  it('stays one line whatever is in it', async () => {
    const text = await logged((log) => log.info('a\nb\r\u2028', { path: '"\n}\u0000' }), { type: 'json' });
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(jsonLines(text)[0]).toMatchObject({ message: 'a\nb\r\u2028', path: '"\n}\u0000' });
  });

  it('cannot have its level or message replaced by a hostile entry of winston', async () => {
    const hostile = { splat: 'x', stack: 'y', [Symbol.for('level')]: 'error' } as unknown as LogFields;
    const text = await logged((log) => log.info('%s %d', hostile), { type: 'json' });
    expect(jsonLines(text)[0]).toMatchObject({ level: 'info', message: '%s %d', splat: 'x', stack: 'y' });
  });
});

describe('a console line', () => {
  const line = async (message: string, fields?: LogFields, color = false) =>
    (await logged((log) => log.info(message, fields), { color })).replace(/^(\S*?)\d\d:\d\d:\d\d/, '$1TIME');

  it('is time, level, message, and fields as words', async () => {
    expect(await line('cycle done', { paths: 3, mount: 'secret/' })).toBe(
      'TIME INF cycle done  paths=3 mount=secret/\n',
    );
    expect(await line('cycle done')).toBe('TIME INF cycle done\n');
  });

  it('leaves out what only machines need', async () => {
    expect(
      await line('m', {
        event: 'cycle.end',
        cycle: 7,
        durationMs: 3,
        'error.status': 403,
        'error.retryable': true,
        no: undefined,
      }),
    ).toBe('TIME INF m\n');
  });

  it('quotes values that are not one word', async () => {
    expect(await line('m', { a: 'two words', b: '', c: 'x="y"', d: 'tab\t' })).toBe(
      'TIME INF m  a="two words" b="" c="x=\\"y\\"" d="tab\\t"\n',
    );
  });

  it('colours time, level and names, and nothing else changes', async () => {
    const colored = await line('m', { a: 1 }, true);
    expect(colored).toBe('\u001b[90mTIME\u001b[0m \u001b[32mINF\u001b[0m m  \u001b[90ma=\u001b[0m1\n');
    expect(stripVTControlCharacters(colored)).toBe(await line('m', { a: 1 }));
  });

  it.each([
    { name: 'an escape sequence', text: '\u001b[2Jgone', shown: '\\u{1b}[2Jgone' },
    { name: 'a carriage return', text: 'a\rb', shown: 'a\\u{d}b' },
    { name: 'a newline', text: 'a\nb', shown: 'a\\u{a}b' },
    { name: 'a bell and a null', text: '\u0007\u0000', shown: '\\u{7}\\u{0}' },
    { name: 'a C1 control', text: '\u009b31m', shown: '\\u{9b}31m' },
    { name: 'a right-to-left override', text: 'a\u202eb', shown: 'a\\u{202e}b' },
    { name: 'a lone surrogate', text: 'a\ud800', shown: 'a\\u{d800}' },
  ])('shows $name as an escape, in the message and in fields', async ({ text, shown }) => {
    expect(await line(text)).toBe(`TIME INF ${shown}\n`);
    const inField = await line('m', { path: text });
    expect(inField.match(/\p{C}/gu), 'the newline at the end only').toEqual(['\n']);
  });

  it('keeps unicode readable', async () => {
    expect(await line('Straße 日本 🎉', { path: 'ü/é' })).toBe('TIME INF Straße 日本 🎉  path=ü/é\n');
  });

  it('puts the parts of a failure on lines of their own, once each', async () => {
    const error = new VsyncError({
      code: 'VAULT_SEALED',
      message: 'it is sealed',
      why: 'a cause',
      hint: 'first\nsecond',
      note: 'Nothing was published.',
      status: 503,
      retryable: true,
    });
    expect(await line('cycle failed', { ...errorFields(error), side: 'origin' })).toBe(
      [
        'TIME INF cycle failed  side=origin',
        '         what: it is sealed',
        '         why:  a cause',
        '         fix:  first',
        '               second',
        '         note: Nothing was published.',
        '         id:   VAULT_SEALED',
        '',
      ].join('\n'),
    );
    expect(await line('it is sealed', errorFields(error)), 'the message is not repeated').not.toContain(
      'what:',
    );
  });

  it('cannot be moved by control characters in the parts of a failure', async () => {
    const error = new VsyncError({ code: 'VAULT_SEALED', message: '\u001b[1Ax', why: 'a\rb' });
    const text = await line('m', errorFields(error));
    expect(text).toContain('what: \\u{1b}[1Ax');
    expect(text).toContain('why:  a\\u{d}b');
  });
});

describe('errorFields', () => {
  it('has the names of docs/errors.md and nothing of the cause', () => {
    const error = new VsyncError({
      code: 'VAULT_FORBIDDEN',
      message: 'm',
      status: 403,
      cause: new Error('canary'),
      path: 'secret/data/a',
    });
    expect(errorFields(error)).toEqual({
      error: 'm',
      'error.id': 'VAULT_FORBIDDEN',
      'error.status': 403,
      'error.retryable': false,
      'error.why': undefined,
      'error.hint': undefined,
      'error.note': undefined,
    });
  });
});

describe('with()', () => {
  it('puts its fields into each line; those of the call win', async () => {
    const text = await logged(
      (log) => {
        const side = log.with({ side: 'origin', cycle: 1 });
        side.info('a');
        side.with({ cycle: 2 }).warn('b', { side: 'destination' });
        log.info('c');
      },
      { type: 'json' },
    );
    const lines = jsonLines(text).map(({ time: _, level: __, ...rest }) => rest);
    expect(lines).toEqual([
      { message: 'a', side: 'origin', cycle: 1 },
      { message: 'b', side: 'destination', cycle: 2 },
      { message: 'c' },
    ]);
  });
});

describe('protect()', () => {
  const token = 'hvs.canary/4711+x=';

  it.each([{ type: 'json' as const }, { type: 'console' as const }])(
    'keeps a text out of every line of the $type log',
    async ({ type }) => {
      const text = await logged(
        (log) => {
          log.protect(new Secret(token));
          log.error(`with ${token} twice ${token}`);
          log.with({ header: `Bearer ${token}` }).warn('in a field', { [token]: 'as a name', value: token });
          log.info(
            'in a failure',
            errorFields(new VsyncError({ code: 'USAGE', message: token, why: token, hint: token })),
          );
        },
        { type },
      );
      expect(text).not.toContain('canary');
      expect(text).toContain('with [redacted] twice [redacted]');
    },
  );

  it.each([{ type: 'json' as const }, { type: 'console' as const }])(
    'knows a text also in the spelling of the $type log',
    async ({ type }) => {
      const odd = 'canary"quoted\\and\nbroken';
      const text = await logged(
        (log) => {
          log.protect(new Secret(odd));
          log.error(`a message with ${odd}`, { field: odd, 'error.why': odd });
        },
        { type },
      );
      expect(text).not.toContain('canary');
    },
  );

  it('works for a log made with with(), and for those made before', async () => {
    const text = await logged((log) => {
      const before = log.with({ side: 'origin' });
      log.with({}).protect(new Secret(token));
      before.info(token);
      log.info(token);
    });
    expect(text).not.toContain('canary');
  });

  it('leaves very short texts alone, which would hit words of the log itself', async () => {
    expect(
      await logged((log) => {
        log.protect(new Secret('info'));
        log.info('some info');
      }),
    ).toContain('some info');
  });

  it('takes the text literally', async () => {
    const text = await logged((log) => {
      log.protect(new Secret('$&.*+?^{}()|[]'));
      log.info('a $&.*+?^{}()|[] b, other text');
    });
    expect(text).toContain('a [redacted] b, other text');
  });
});

describe('close()', () => {
  it('waits until a slow stream has taken everything', async () => {
    let text = '';
    const stream = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _, done) {
        setImmediate(() => {
          text += chunk.toString();
          done();
        });
      },
    });
    const log = openLog({ level: 'info', type: 'json', color: false, stream });
    for (let i = 0; i < 200; i += 1) log.info(`line ${i}`);
    await log.close();
    await new Promise<void>((resolve) => stream.end(resolve));
    expect(jsonLines(text).map(({ message }) => message)).toEqual(
      Array.from({ length: 200 }, (_, i) => `line ${i}`),
    );
  });
});
