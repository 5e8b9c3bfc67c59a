import { describe, expect, it } from 'vitest';
import { VsyncError } from '../../src/base/errors.ts';
import { RetryBudget } from '../../src/base/retry.ts';
import { findTargetProblems } from '../../src/cycle/target-problems.ts';
import type { DataPath, Mount } from '../../src/sync/mount-path.ts';

const scope = { signal: new AbortController().signal, budget: new RetryBudget() };

/** A Vault with the mount `kv/`, which refuses names with a tab. */
function vault() {
  const asked: string[] = [];
  const mountOf = (path: DataPath): Promise<Mount> => {
    asked.push(path);
    if (path.includes('\t'))
      return Promise.reject(new VsyncError({ code: 'VAULT_REFUSED', message: 'refused', status: 400 }));
    if (!path.startsWith('kv/'))
      return Promise.reject(
        new VsyncError({ code: 'TRANSFORM_BAD_TARGET', message: 'bad target', why: 'no such mount' }),
      );
    return Promise.resolve('kv/' as Mount);
  };
  return { asked, mountOf };
}

describe('problems of targets', () => {
  it('a name that the server refuses is the problem of that target alone, wherever it comes', async () => {
    const odd = ['kv/data/\t/data/a', 'kv/data/\t/data/b'] as DataPath[];
    const good = ['kv/data/a', 'kv/data/b'] as DataPath[];
    for (const targets of [
      [...odd, ...good],
      [...good, ...odd],
    ]) {
      const problemOf = await findTargetProblems(vault(), targets, { scope });
      for (const target of good) expect(problemOf(target)).toBeUndefined();
    }
    const problemOf = await findTargetProblems(vault(), [...odd, ...good], { scope });
    expect(odd.map((target) => problemOf(target)?.code)).toEqual(Array(2).fill('PATH_NOT_ADDRESSABLE'));
  });

  it('a mount that is not there is looked for once', async () => {
    const { asked, mountOf } = vault();
    const targets = ['no/data/a', 'no/data/b', 'kv/data/a', 'kv/data/b'] as DataPath[];
    const problemOf = await findTargetProblems({ mountOf }, targets, { scope });
    expect(targets.map((target) => problemOf(target)?.code)).toEqual([
      'TRANSFORM_BAD_TARGET',
      'TRANSFORM_BAD_TARGET',
      undefined,
      undefined,
    ]);
    expect(asked).toEqual(['no/data/a', 'kv/data/a']);
  });

  it('any other failure is not about the target', async () => {
    const down = () => Promise.reject(new VsyncError({ code: 'VAULT_SEALED', message: 'sealed' }));
    const looking = findTargetProblems({ mountOf: down }, ['kv/data/a'] as DataPath[], { scope });
    await expect(looking).rejects.toMatchObject({ code: 'VAULT_SEALED' });
  });
});
