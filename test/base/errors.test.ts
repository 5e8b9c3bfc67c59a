import { describe, expect, it } from 'vitest';
import { asVsyncError, errorCodes, exitCodes, VsyncError } from '../../src/base/errors.ts';

const fields = {
  code: 'VAULT_UNAVAILABLE',
  message: 'origin Vault failed GET secret/data/a (502)',
  side: 'origin',
  server: 'vault',
  address: 'http://vault:8200',
  path: 'secret/data/a',
  why: 'a cause',
  hint: 'a remedy',
  note: 'a consequence',
  status: 502,
  retryable: true,
  retryAfterMs: 1500,
  ambiguous: true,
  exitCode: 75,
  cause: new Error('below'),
} as const;

describe('a failure', () => {
  it('takes class and exit code from its code unless told otherwise', () => {
    const plain = new VsyncError({ code: 'MOUNT_MISSING', message: 'm' });
    expect(plain).toMatchObject({
      class: 'fatal',
      exitCode: exitCodes.config,
      retryable: false,
      ambiguous: false,
    });
    expect(plain.where).toEqual({});
    expect(plain).not.toHaveProperty('cause');
    const other = new VsyncError({ code: 'MOUNT_MISSING', message: 'm', class: 'path', exitCode: 1 });
    expect(other).toMatchObject({ class: 'path', exitCode: 1 });
  });

  it('is the same in another class', () => {
    const error = new VsyncError(fields);
    const { stack: _, class: before, ...rest } = { ...error, message: error.message, cause: error.cause };
    const changed = error.as('path');
    expect(before).toBe('transient');
    expect(changed.class).toBe('path');
    expect({ ...changed, message: changed.message, cause: changed.cause }).toEqual({
      ...rest,
      class: 'path',
    });
    expect(error.class).toBe('transient');
  });

  it('is made of whatever is thrown', () => {
    const known = new VsyncError({ code: 'USAGE', message: 'm' });
    expect(asVsyncError(known)).toBe(known);
    const cause = new TypeError('x is not a function');
    expect(asVsyncError(cause)).toMatchObject({
      code: 'UNEXPECTED',
      class: 'fatal',
      message: 'unexpected failure: TypeError: x is not a function',
      cause,
    });
    // A parser's message quotes what it read.
    expect(asVsyncError(new SyntaxError('"s.canary" is not JSON')).message).toBe(
      'unexpected failure: SyntaxError',
    );
    expect(asVsyncError('a word').message).toBe('unexpected failure: a word');
    expect(asVsyncError(undefined).message).toBe('unexpected failure: undefined');
  });

  it.each(Object.entries(errorCodes))('%s has a class and an exit code of the table', (_, entry) => {
    expect(['path', 'transient', 'fatal', 'abort']).toContain(entry.class);
    expect(Object.values(exitCodes)).toContain(entry.exit);
  });
});
