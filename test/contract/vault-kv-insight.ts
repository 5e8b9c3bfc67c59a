import { describe, expect, it } from 'vitest';
import { originMetadata } from '../../src/vault/origin-vault.ts';
import { ManualClock } from '../base/manual-clock.ts';
import { callScope, freshMount, type VaultTarget } from './vault-kv-target.ts';

/** Insights: what the metadata of one key says, judged by the server's clock. */
export function insightFacts(target: () => VaultTarget): void {
  // Ours stands still; a minute ahead, what the server deletes in this test is in the past.
  async function fresh(clock = new ManualClock(Date.now() + 60_000)) {
    const kv = await freshMount(target());
    const origin = originMetadata(await kv.client(), clock);
    const { api } = target();
    return {
      ...kv,
      api,
      clock,
      origin,
      read: (key: string) => origin.readInsight(kv.mount, key, callScope()),
      metadataOf: async (key: string) => (await api.metadata(kv.path(key))) as Record<string, unknown>,
    };
  }

  it('of a live secret are its version and its time, in the text of the server', async () => {
    const { api, path, read, metadataOf } = await fresh();
    await api.put(path('a'), { k: 1 });
    const first = await metadataOf('a');
    expect(await read('a')).toEqual({ version: 1, updateTime: first.updated_time, type: 'kvV2' });
    await api.put(path('a'), { k: 2 });
    const second = await metadataOf('a');
    expect(await read('a')).toEqual({ version: 2, updateTime: second.updated_time, type: 'kvV2' });
    expect(second.updated_time).not.toBe(first.updated_time);
  });

  describe('is none for', () => {
    it('a key that never was', async () => {
      const { read } = await fresh();
      expect(await read('missing')).toBeUndefined();
      expect(await read('missing/in/a/folder')).toBeUndefined();
    });

    it('a key with metadata only', async () => {
      const { api, mount, read } = await fresh();
      await api.call('POST', `${mount}metadata/only`, { max_versions: 3 });
      expect(await read('only')).toBeUndefined();
    });

    it('a deleted current version, until it is undeleted', async () => {
      const { api, path, read } = await fresh();
      await api.put(path('a'), {});
      await api.put(path('a'), {});
      await api.softDelete(path('a'));
      expect(await read('a')).toBeUndefined();
      await api.undelete(path('a'), [2]);
      expect(await read('a')).toMatchObject({ version: 2 });
    });

    it('a destroyed current version', async () => {
      const { api, mount, path, read } = await fresh();
      await api.put(path('a'), {});
      await api.call('POST', `${mount}destroy/a`, { versions: [1] });
      expect(await read('a')).toBeUndefined();
    });

    it('a key whose metadata were deleted', async () => {
      const { api, path, read } = await fresh();
      await api.put(path('a'), {});
      await api.destroyMetadata(path('a'));
      expect(await read('a')).toBeUndefined();
    });

    it('one whose deletion_time has come, by the clock of the server', async () => {
      const { api, mount, path, read, clock, metadataOf } = await fresh();
      await api.call('POST', `${mount}metadata/a`, { delete_version_after: '1h' });
      await api.put(path('a'), {});
      const { versions } = (await metadataOf('a')) as { versions: Record<string, { deletion_time: string }> };
      expect(versions['1']?.deletion_time, 'a time in the future').not.toBe('');
      expect(await read('a')).toMatchObject({ version: 1 });
      clock.advance(57 * 60_000);
      expect(await read('a')).toMatchObject({ version: 1 });
      clock.advance(3 * 60_000);
      expect(await read('a')).toBeUndefined();
    });
  });

  it('of older versions that are deleted or destroyed do not matter', async () => {
    const { api, mount, path, read } = await fresh();
    for (let i = 0; i < 3; i += 1) await api.put(path('a'), {});
    await api.call('POST', `${mount}delete/a`, { versions: [1] });
    await api.call('POST', `${mount}destroy/a`, { versions: [2] });
    expect(await read('a')).toMatchObject({ version: 3 });
  });

  it('of a key that was made anew start at version 1 with another time', async () => {
    const { api, path, read } = await fresh();
    await api.put(path('a'), {});
    await api.put(path('a'), {});
    const before = await read('a');
    await api.destroyMetadata(path('a'));
    await api.put(path('a'), {});
    const after = await read('a');
    expect([before?.version, after?.version]).toEqual([2, 1]);
    expect(after?.updateTime).not.toBe(before?.updateTime);
  });

  describe('a clock that is wrong here', () => {
    it.each([
      { name: 'three hours behind', offsetMs: -3 * 3_600_000 },
      { name: 'three hours ahead', offsetMs: 3 * 3_600_000 },
    ])('$name is put right by the clock of the server', async ({ offsetMs }) => {
      const { api, mount, path, read, origin, clock } = await fresh(new ManualClock(Date.now() + offsetMs));
      await api.call('POST', `${mount}metadata/a`, { delete_version_after: '1h' });
      await api.put(path('a'), {});
      await origin.readClock(callScope());
      expect(await read('a')).toMatchObject({ version: 1 });
      clock.advance(2 * 3_600_000);
      expect(await read('a')).toBeUndefined();
    });

    it('is asked for once in ten minutes', async () => {
      const { origin, clock } = await fresh();
      const { dev } = target();
      const asked = async () => {
        dev?.requests.reset();
        await origin.readClock(callScope());
        return dev?.requests.count('GET sys/health');
      };
      const counts = [await asked(), await asked()];
      clock.advance(10 * 60_000 - 1);
      counts.push(await asked());
      clock.advance(1);
      counts.push(await asked());
      if (dev !== undefined) expect(counts).toEqual([1, 0, 0, 1]);
    });
  });

  describe('that cannot be read', () => {
    it('without the right to: a failure of that path', async () => {
      const { api, path, client, mount } = await fresh();
      await api.put(path('a'), {});
      const blind = originMetadata(await client('path "MOUNT/metadata/b" { capabilities = ["read"] }'));
      await expect(blind.readInsight(mount, 'a', callScope())).rejects.toMatchObject({
        code: 'VAULT_FORBIDDEN',
        class: 'path',
        status: 403,
      });
      expect(await blind.readInsight(mount, 'b', callScope())).toBeUndefined();
    });

    it('without the mount: a failure of more than that path', async () => {
      const { api, path, read, mount } = await fresh();
      await api.put(path('a'), {});
      await api.unmount(mount);
      await expect(read('a')).rejects.toMatchObject({
        code: 'SECRET_UNREADABLE',
        class: 'transient',
        status: 404,
      });
    });

    it('from a server that answers something else: never "no secret"', async () => {
      const { dev } = target();
      const { api, path, read } = await fresh();
      await api.put(path('a'), {});
      if (dev === undefined) return;
      const bodies = [
        { status: 404, body: '' },
        { status: 404, body: '{"data":null,"warnings":["Invalid path"]}' },
        { status: 200, body: '{"data":null}' },
        { status: 200, body: '{"data":{"keys":[]}}' },
        { status: 200, body: '{"data":{"current_version":"1","updated_time":"t","versions":{}}}' },
        { status: 200, body: '{"data":{"current_version":1,"versions":{}}}' },
        { status: 200, body: '{"data":{"current_version":1,"updated_time":"t"}}' },
        { status: 200, body: '' },
        { status: 500, body: '{"errors":["internal error"]}' },
      ];
      for (const answer of bodies) {
        const fault = dev.faults.add({ match: { method: 'GET' }, action: { kind: 'answer', answer } });
        await expect(read('a'), JSON.stringify(answer)).rejects.toMatchObject({ name: 'VsyncError' });
        fault.remove();
      }
      expect(await read('a')).toMatchObject({ version: 1 });
    });
  });
}
