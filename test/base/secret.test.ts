import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret, withoutTokens } from '../../src/base/secret.ts';
import { SecretValue } from '../../src/sync/secret-value.ts';

const text = 's.canary-4711';

describe.each([
  { name: 'a secret', secret: new Secret(text) },
  { name: 'the value of a secret', secret: new SecretValue(text) },
])('$name', ({ secret }) => {
  it.each([
    { way: 'util.inspect', print: () => inspect(secret) },
    {
      way: 'util.inspect with all that is hidden',
      print: () => inspect({ secret }, { showHidden: true, depth: 9, customInspect: true }),
    },
    {
      way: 'util.inspect without custom inspection',
      print: () => inspect({ secret }, { showHidden: true, customInspect: false }),
    },
    { way: 'util.format', print: () => format('%s %o %O %j', secret, secret, secret, secret) },
    { way: 'a template', print: () => `${secret}` },
    { way: 'String', print: () => String(secret) },
    { way: 'addition', print: () => `x${secret.toString()}` },
    { way: 'JSON.stringify', print: () => JSON.stringify({ secret, list: [secret] }) },
    { way: 'an array joined', print: () => [secret, secret].join() },
    {
      way: 'its keys and entries',
      print: () => JSON.stringify([Object.keys(secret), Object.entries(secret)]),
    },
    { way: 'a copy of it', print: () => inspect([{ ...secret }, structuredClone({ ...secret })]) },
    { way: 'an error with it as a cause', print: () => inspect(new Error('failed', { cause: secret })) },
  ])('is not printed by $way', ({ print }) => {
    expect(print()).not.toContain('canary');
  });

  it('says that it was left out', () => {
    expect([inspect(secret), String(secret), JSON.stringify(secret)]).toEqual([
      '[redacted]',
      '[redacted]',
      '"[redacted]"',
    ]);
  });

  it('is given out by reveal() only', () => {
    expect(secret.reveal()).toBe(text);
  });
});

it.each([
  { text: `cannot read /etc/hvs.${'a'.repeat(24)}`, is: 'cannot read /etc/hvs.***' },
  {
    text: `batch hvb.AAAA${'B-_9'.repeat(30)}, recovery hvr.${'c'.repeat(24)}`,
    is: 'batch hvb.***, recovery hvr.***',
  },
  { text: `of old: s.${'x'.repeat(24)}`, is: 'of old: s.***' },
  { text: `http://127.0.0.1:8200hvs.${'a'.repeat(24)}`, is: 'http://127.0.0.1:8200hvs.***' },
  { text: 'hvs.****(sha256:ab12)', is: 'hvs.****(sha256:ab12)' },
  {
    text: '/etc/vsync/secrets.production-of-the-whole-world.json',
    is: '/etc/vsync/secrets.production-of-the-whole-world.json',
  },
])('what looks like a token is left out of $text', ({ text: written, is }) => {
  expect(withoutTokens(written)).toBe(is);
});
