import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { hideBytes, titleWithoutSecrets } from '../../src/commands/terminal/own-output.ts';
import { flagSpecs } from '../../src/config/flags.ts';
import { keySpecs } from '../../src/config/keys.ts';

describe('the line in the process list', () => {
  it('stays as it is where no flag gives a secret', () => {
    const args = ['origin', '--config', 'a.json', '--origin.vault.token_file', '/run/token', '--once'];
    expect(titleWithoutSecrets(args)).toBeUndefined();
    expect(titleWithoutSecrets([])).toBeUndefined();
  });

  const secretKeys = new Set(keySpecs.filter(({ kind }) => kind === 'secret').map(({ key }) => key));
  const secretFlags = flagSpecs
    .filter(({ key }) => secretKeys.has(key.origin))
    .map(({ name }) => `--${name}`);

  it.each(secretFlags)('%s: its value is left out, in both spellings', (flag) => {
    expect(titleWithoutSecrets(['origin', flag, 'canary', '--once'])).toBe(`vsync origin ${flag} *** --once`);
    expect(titleWithoutSecrets([`${flag}=canary=1`, 'origin'])).toBe(`vsync ${flag}=*** origin`);
    // It may look like a flag itself, and it may be missing.
    expect(titleWithoutSecrets([flag, '--canary'])).toBe(`vsync ${flag} ***`);
    expect(titleWithoutSecrets(['origin', flag])).toBeUndefined();
  });

  it('there are such flags', () => expect(secretFlags.length).toBeGreaterThanOrEqual(8));
});

describe('what Node prints with NODE_DEBUG', () => {
  it('is without the bytes that go over the wire', () => {
    const written: unknown[] = [];
    const stream = {
      write: (...given: readonly unknown[]) => {
        written.push(given);
        return true;
      },
    };
    hideBytes(stream as Parameters<typeof hideBytes>[0]);
    const done = () => {};
    const bytes = Buffer.from(`{"data":"${'canary'.repeat(20)}"}`);
    stream.write(`STREAM 1: push ${inspect(bytes)}\nSTREAM 1: resume\n`, 'utf8', done);
    stream.write(bytes);
    expect(written).toEqual([
      ['STREAM 1: push <Buffer ... 81 more bytes>\nSTREAM 1: resume\n', 'utf8', done],
      [bytes],
    ]);
  });
});
