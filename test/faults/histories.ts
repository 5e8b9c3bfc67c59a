import { expect } from 'vitest';
import type { Pair } from './pair.ts';

/** What the destination's Vault kept of each secret, version by version: a write that was not needed shows in it. */

/** The values of all versions, oldest first, as text; `undefined` for one that is deleted or not kept. */
export type Written = Readonly<Record<string, readonly (string | undefined)[]>>;

export async function writtenValues(pair: Pair, keys: readonly string[]): Promise<Written> {
  const vault = pair.world.destination;
  const versionsOf = async (key: string) => {
    const count = await vault.versionOf(pair.path(key));
    const values: (string | undefined)[] = [];
    for (let version = 1; version <= count; version += 1) {
      const path = pair.path(key).split('/').map(encodeURIComponent).join('/');
      const { status, body } = await vault.call('GET', `${path}?version=${version}`);
      values.push(status === 404 ? undefined : JSON.stringify((body.data as { data: unknown }).data));
    }
    return [key, values] as const;
  };
  return Object.fromEntries(await Promise.all(keys.map(versionsOf)));
}

/** No value was written over an equal one. Only for secrets of which each value is another one at the origin. */
export function expectNoneTwice(written: Written): void {
  for (const [key, values] of Object.entries(written)) {
    const known = values.filter((value) => value !== undefined);
    expect(new Set(known).size, `${key}: ${values.join(' ')}`).toBe(known.length);
  }
}
