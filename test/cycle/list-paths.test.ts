import { describe, expect, it } from 'vitest';
import { listPaths } from '../../src/cycle/list-paths.ts';
import { pathFilter } from '../../src/sync/path-filter.ts';
import { FakeVault, failure, noScope, secret } from './fakes.ts';

const options = { concurrency: 4, filter: pathFilter([], []), scope: noScope };

async function keysOf(vault: FakeVault, over: Partial<typeof options> = {}): Promise<string[]> {
  const keys: string[] = [];
  for await (const found of listPaths(vault, [secret], { ...options, ...over }))
    keys.push(...found.map(({ key }) => key));
  return keys.sort();
}

describe('the path lister', () => {
  it('finds every key, however deep, a leaf that is also a folder included', async () => {
    const vault = new FakeVault();
    const keys = ['a', 'a/b', 'a/b/c/d/e/f', 'z', 'm/1', 'm/2', 'm/n/3'];
    for (const key of keys) vault.put(key, 1);
    expect(await keysOf(vault)).toEqual([...keys].sort());
  });

  it('lists folders side by side, and no more of them than it may', async () => {
    const vault = new FakeVault();
    for (let i = 0; i < 40; i += 1) vault.put(`f${i}/k`, 1);
    let now = 0;
    let most = 0;
    vault.before = async () => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      await Promise.resolve();
      now -= 1;
    };
    await keysOf(vault);
    expect(most).toBe(4);
  });

  it('does not run ahead of a consumer that takes nothing', async () => {
    const vault = new FakeVault();
    for (let i = 0; i < 200; i += 1) vault.put(`f${i}/k`, 1);
    const paths = listPaths(vault, [secret], options);
    await paths.next();
    for (let i = 0; i < 50; i += 1) await Promise.resolve();
    const before = vault.calls.length;
    for (let i = 0; i < 50; i += 1) await Promise.resolve();
    expect(vault.calls.length).toBe(before);
    expect(before).toBeLessThan(20);
    await paths.return();
  });

  it('R3: throws when a folder cannot be listed, wherever it is', async () => {
    const vault = new FakeVault();
    for (let i = 0; i < 20; i += 1) vault.put(`f${i}/g/k`, 1);
    vault.failures.plan('list secret/f7/g/', failure.unreachable());
    await expect(keysOf(vault)).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE' });
  });

  it('an empty mount has no keys', async () => {
    expect(await keysOf(new FakeVault())).toEqual([]);
  });
});
