import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretFile } from '../../src/base/secret-file.ts';

let dir: string;
let file: string;
let now = 0;
let changes = 0;
const clock = { now: () => now, monotonic: () => now, sleep: async () => {} };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vsync-secret-'));
  file = join(dir, 'token');
  now = 0;
  await put('one\n');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Replaces the file as its keepers do: by another one of that name, changed at another time. */
async function put(text: string): Promise<void> {
  changes += 1;
  await writeFile(`${file}.new`, text);
  await utimes(`${file}.new`, new Date(), new Date(changes * 1000));
  await rename(`${file}.new`, file);
}

describe('a secret in a file', () => {
  it('is read without white space around it, and again within 5 s of a change', async () => {
    const secret = new SecretFile(file, clock);
    expect((await secret.current()).reveal()).toBe('one');
    await put('two');
    now = 4_999;
    expect((await secret.current()).reveal()).toBe('one');
    now = 5_000;
    expect((await secret.current()).reveal()).toBe('two');
  });

  it.each([
    { name: 'gone', replace: () => rm(file) },
    { name: 'empty', replace: () => put(' \n') },
  ])('stays what it was while the file is $name', async ({ replace }) => {
    const secret = new SecretFile(file, clock);
    await secret.current();
    await replace();
    now = 5_000;
    expect((await secret.current()).reveal()).toBe('one');
    await put('two');
    now = 10_000;
    expect((await secret.current()).reveal()).toBe('two');
  });

  it.each([
    { name: 'is not there', prepare: () => rm(file), says: 'ENOENT' },
    { name: 'is empty', prepare: () => put(''), says: 'it is empty' },
  ])('that $name at first is an error that names it', async ({ prepare, says }) => {
    await prepare();
    await expect(new SecretFile(file, clock).current()).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: expect.stringContaining(`${file}: ${says}`),
    });
  });
});
