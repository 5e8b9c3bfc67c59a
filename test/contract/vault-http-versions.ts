import { describe, expect, it } from 'vitest';
import {
  expectError,
  freshMount,
  is,
  type KvMount,
  type Metadata,
  patchType,
  type VaultServers,
  type VaultTarget,
} from './vault-http-target.ts';

/** Version arithmetic, expiry, delete, undelete, destroy, and what each action changes of a key. */
export function versionFacts(servers: VaultServers, vault: () => VaultTarget): void {
  describe('versions', () => arithmeticFacts(vault));
  describe('delete, undelete and destroy', () => endpointFacts(vault));
  describe('delete_version_after', () => expiryFacts(vault));
  describe('the fingerprint of a key', () => fingerprintFacts(servers, vault));
}

async function writeTimes(kv: KvMount, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await kv.write('a', { i });
}

function arithmeticFacts(vault: () => VaultTarget): void {
  it.each([
    { mount: 0, key: 0, writes: 9, oldest: 0, kept: 9 },
    { mount: 0, key: 0, writes: 10, oldest: 1, kept: 10 },
    { mount: 0, key: 0, writes: 12, oldest: 3, kept: 10 },
    { mount: 0, key: 1, writes: 1, oldest: 1, kept: 1 },
    { mount: 0, key: 3, writes: 5, oldest: 3, kept: 3 },
    { mount: 5, key: 2, writes: 7, oldest: 3, kept: 5 },
    { mount: 2, key: 4, writes: 6, oldest: 3, kept: 4 },
  ])(
    'max_versions $mount at the mount, $key at the key: after $writes writes oldest_version is $oldest',
    async (fact) => {
      const kv = await freshMount(vault());
      await kv.send('POST config', { max_versions: fact.mount });
      await kv.send('POST metadata/a', { max_versions: fact.key });
      await writeTimes(kv, fact.writes);
      const { current_version, oldest_version, versions } = await kv.metadata('a');
      expect({ current_version, oldest_version }).toEqual({
        current_version: fact.writes,
        oldest_version: fact.oldest,
      });
      const numbers = Array.from({ length: fact.kept }, (_, i) => `${fact.writes - i}`);
      expect(Object.keys(versions).sort()).toEqual(numbers.sort());
    },
  );

  it('are trimmed by the next write only, when max_versions is lowered', async () => {
    const kv = await freshMount(vault());
    await writeTimes(kv, 5);
    await kv.send('POST metadata/a', { max_versions: 2 });
    expect(Object.keys((await kv.metadata('a')).versions)).toHaveLength(5);
    await writeTimes(kv, 1);
    expect(await kv.metadata('a')).toMatchObject({ current_version: 6, oldest_version: 5 });
  });

  it('start at 1 again after the metadata is deleted, with a new created_time', async () => {
    const kv = await freshMount(vault());
    await writeTimes(kv, 3);
    const before = await kv.metadata('a');
    expect(await kv.send('DELETE metadata/a')).toEqual(is.noContent);
    expect(await kv.send('GET metadata/a')).toEqual(is.nothing);
    await writeTimes(kv, 1);
    const after = await kv.metadata('a');
    expect(after).toMatchObject({ current_version: 1, oldest_version: 0 });
    expect(after.created_time).not.toBe(before.created_time);
  });

  it('carry the time of their write, and the last of them is updated_time', async () => {
    const kv = await freshMount(vault());
    const first = await kv.write('a');
    const second = await kv.write('a');
    const { created_time, updated_time, versions } = await kv.metadata('a');
    expect(created_time).toBe(first.created_time);
    expect(updated_time).toBe(second.created_time);
    expect([versions[1]?.created_time, versions[2]?.created_time]).toEqual([
      first.created_time,
      second.created_time,
    ]);
  });
}

function endpointFacts(vault: () => VaultTarget): void {
  it.each([
    { name: 'a list', versions: [1, 2], hit: [1, 2] },
    { name: 'a list with text', versions: [1, '2'], hit: [1, 2] },
    { name: 'text with commas', versions: '1,2', hit: [1, 2] },
    { name: 'a number', versions: 1, hit: [1] },
    { name: 'true', versions: true, hit: [1] },
    { name: 'unknown versions', versions: [9, -1], hit: [] },
  ])('take their versions as $name', async ({ versions, hit }) => {
    const kv = await freshMount(vault());
    await writeTimes(kv, 3);
    expect(await kv.send('POST delete/a', { versions })).toEqual(is.noContent);
    const deleted = Object.entries((await kv.metadata('a')).versions).filter(
      ([, { deletion_time }]) => deletion_time !== '',
    );
    expect(deleted.map(([number]) => Number(number))).toEqual(hit);
  });

  it.each(['delete', 'undelete', 'destroy'])(
    '%s without versions, or with what is no number, is 400',
    async (name) => {
      const kv = await freshMount(vault());
      await writeTimes(kv, 1);
      for (const body of [
        {},
        { versions: [] },
        { versions: '' },
        { versions: null },
        { versions: 'x' },
        { versions: [1.5] },
      ]) {
        expectError(await kv.send(`POST ${name}/a`, body), 400);
      }
    },
  );

  it.each(['delete', 'undelete', 'destroy'])(
    '%s of a key that is not there is 204 and makes none',
    async (name) => {
      const kv = await freshMount(vault());
      expect(await kv.send(`PUT ${name}/a`, { versions: [1] })).toEqual(is.noContent);
      expect(await kv.names()).toEqual([]);
    },
  );

  it('delete touches live versions only', async () => {
    const kv = await freshMount(vault());
    await writeTimes(kv, 2);
    await kv.send('POST delete/a', { versions: [1] });
    const before = await kv.metadata('a');
    await kv.send('POST delete/a', { versions: [1] });
    expect(await kv.metadata('a')).toEqual(before);
  });

  it('undelete brings deleted versions back, destroyed ones not', async () => {
    const kv = await freshMount(vault());
    await writeTimes(kv, 2);
    await kv.send('POST delete/a', { versions: [1, 2] });
    await kv.send('POST destroy/a', { versions: [1] });
    await kv.send('POST undelete/a', { versions: [1, 2] });
    const { versions } = await kv.metadata('a');
    expect(versions[1]).toMatchObject({ destroyed: true, deletion_time: expect.stringMatching(/Z$/) });
    expect(versions[2]).toMatchObject({ destroyed: false, deletion_time: '' });
    expect((await kv.send('GET data/a')).data.data).toEqual({ i: 1 });
  });

  it('destroy sets no deletion_time, and older versions live on', async () => {
    const kv = await freshMount(vault());
    await writeTimes(kv, 2);
    await kv.send('POST destroy/a', { versions: [2] });
    expect((await kv.metadata('a')).versions[2]).toMatchObject({ destroyed: true, deletion_time: '' });
    expect((await kv.send('GET data/a')).status).toBe(404);
    expect((await kv.send('GET data/a?version=1')).status).toBe(200);
  });
}

function expiryFacts(vault: () => VaultTarget): void {
  const seconds = (from: unknown, to: unknown) => (Date.parse(String(to)) - Date.parse(String(from))) / 1000;

  it.each([
    { mount: '2h', key: undefined, after: 7200 },
    { mount: undefined, key: '1h', after: 3600 },
    { mount: '2h', key: '1h', after: 3600 },
    { mount: '1h', key: '2h', after: 3600 },
    { mount: '-1s', key: '1h', after: undefined },
    { mount: undefined, key: undefined, after: undefined },
  ])(
    '$mount at the mount and $key at the key give a deletion_time after $after s',
    async ({ mount, key, after }) => {
      const kv = await freshMount(vault());
      if (mount !== undefined) await kv.send('POST config', { delete_version_after: mount });
      if (key !== undefined) await kv.send('POST metadata/a', { delete_version_after: key });
      const { created_time, deletion_time } = await kv.write('a');
      if (after === undefined) expect(deletion_time).toBe('');
      else expect(seconds(created_time, deletion_time)).toBe(after);
      // A deletion_time in the future does not delete.
      expect((await kv.send('GET data/a')).status).toBe(200);
    },
  );

  it('once it has passed turns reads into 404, and nothing stored changes', async () => {
    const kv = await freshMount(vault());
    await kv.send('POST metadata/a', { delete_version_after: '1s' });
    await kv.write('a');
    const before = await kv.metadata('a');
    await vault().passSeconds(1.1);
    expect((await kv.send('GET data/a')).status).toBe(404);
    expect(await kv.metadata('a')).toEqual(before);
    expectError(await kv.send('POST data/a', { data: {}, options: { cas: 0 } }), 400);
  });

  it('gives an undeleted version a new deletion_time, counted from now', async () => {
    const kv = await freshMount(vault());
    await kv.write('a');
    await kv.send('POST metadata/a', { delete_version_after: '1h' });
    await kv.send('DELETE data/a');
    await kv.send('POST undelete/a', { versions: [1] });
    const { versions } = await kv.metadata('a');
    expect(seconds(versions[1]?.created_time, versions[1]?.deletion_time)).toBeGreaterThanOrEqual(3600);
    expect((await kv.send('GET data/a')).status).toBe(200);
  });
}

type Step = (kv: KvMount) => Promise<unknown>;

/** What may change of a key; each row names all that does. */
const actions: readonly {
  readonly name: string;
  readonly before?: Step;
  readonly step: Step;
  readonly changes: string[];
}[] = [
  {
    name: 'a write',
    step: (kv) => kv.write('a'),
    changes: ['current_version', 'updated_time', 'versions'],
  },
  { name: 'a soft delete', step: (kv) => kv.send('DELETE data/a'), changes: ['versions'] },
  {
    name: 'an undelete',
    before: (kv) => kv.send('DELETE data/a'),
    step: (kv) => kv.send('POST undelete/a', { versions: [2] }),
    changes: ['versions'],
  },
  { name: 'a destroy', step: (kv) => kv.send('POST destroy/a', { versions: [2] }), changes: ['versions'] },
  {
    name: 'a metadata write',
    step: (kv) => kv.send('POST metadata/a', { custom_metadata: { x: 'y' } }),
    changes: ['custom_metadata', 'openbao: updated_time', 'openbao: current_metadata_version'],
  },
  {
    name: 'a metadata patch',
    step: (kv) => kv.send('PATCH metadata/a', { max_versions: 7 }, patchType),
    changes: ['max_versions', 'openbao: updated_time', 'openbao: current_metadata_version'],
  },
];

function fingerprintFacts(servers: VaultServers, vault: () => VaultTarget): void {
  it.each(actions)('changes by $name in $changes', async ({ before, step, changes }) => {
    const kv = await freshMount(vault());
    await writeTimes(kv, 2);
    await before?.(kv);
    const was = await kv.metadata('a');
    await step(kv);
    const now = await kv.metadata('a');
    const keys = Object.keys(now) as (keyof Metadata)[];
    const changed = keys.filter((key) => JSON.stringify(now[key]) !== JSON.stringify(was[key]));
    const expected = changes
      .map((change) => (servers.flavour === 'openbao' ? change.replace('openbao: ', '') : change))
      .filter((change) => !change.startsWith('openbao: '));
    expect(changed.sort()).toEqual(expected.sort());
  });
}
