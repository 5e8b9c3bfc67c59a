import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../src/sync/secret-value.ts';
import { destinationVault } from '../../src/vault/destination-vault.ts';
import { originSecrets } from '../../src/vault/origin-vault.ts';
import { quickRetries } from '../vault/clients.ts';
import { expectNoLeak } from '../vault/leaks.ts';
import { callScope, freshMount, type VaultTarget } from './vault-kv-target.ts';

/** Values: read as they are, written with check-and-set only (R7). */
export function secretFacts(target: () => VaultTarget): void {
  async function fresh(rules?: string) {
    const kv = await freshMount(target());
    const client = await kv.client(rules);
    const vault = destinationVault(client);
    const { api } = target();
    return {
      ...kv,
      api,
      client,
      read: (key: string) => vault.readSecret(kv.path(key), callScope()),
      write: (key: string, json: string, cas: number) =>
        vault.writeSecret(kv.path(key), new SecretValue(json), cas, callScope()),
      remove: (key: string) => vault.deleteSecret(kv.path(key), callScope()),
      versionOf: (key: string) => api.versionOf(kv.path(key)),
    };
  }

  describe('a read', () => {
    it('of a live secret gives value, version and time of one version', async () => {
      const { api, path, read, client } = await fresh();
      await api.put(path('a'), { k: 'old' });
      await api.put(path('a'), { k: 'new' });
      const state = await read('a');
      if (state.kind !== 'live') throw new Error(state.kind);
      expect(state.version).toBe(2);
      expect(JSON.parse(state.value.reveal())).toEqual({ k: 'new' });
      expect(state.createdTime).toBe((await api.metadata(path('a')))?.updated_time);
      expect(await originSecrets(client).readSecret(path('a'), callScope())).toMatchObject({
        kind: 'live',
        version: 2,
      });
      expectNoLeak(Object.assign(new Error('x'), { state }), 'new"');
    });

    it('of an earlier version gives that one, and nothing when it is not kept any more', async () => {
      const { api, path, client } = await fresh();
      for (const n of [1, 2, 3, 4]) await api.put(path('a'), { n });
      await api.call('POST', path('a').replace('/data/', '/delete/'), { versions: [1] });
      await api.destroy(path('a'), [2]);
      const read = async (version: number) =>
        (await originSecrets(client).readVersion(path('a'), version, callScope()))?.reveal();
      expect([await read(3), await read(4)]).toEqual(['{"n":3}', '{"n":4}']);
      for (const version of [1, 2, 5]) expect(await read(version), `${version}`).toBeUndefined();
    });

    it.each([
      { name: 'an empty object', data: {} },
      {
        name: 'nested values',
        data: { a: { b: [1, 'two', null, { c: true }] }, data: { data: { metadata: 1 } } },
      },
      {
        name: 'odd names',
        data: { '': 1, 'a b': 2, '"': 3, '\\': 4, ü: 5, '<&>': 6, '\u2028': 7, __proto: 8 },
      },
      { name: 'odd texts', data: { a: '}"]{[', b: '\\"', c: '\u0000\u001f\u007f', d: '🎉', e: '</script>' } },
      { name: 'a long text', data: { a: 'x'.repeat(100_000) } },
    ])('of $name gives the text of the server, to the byte', async ({ data }) => {
      const { api, path, read, raw } = await fresh();
      await api.put(path('a'), data);
      const state = await read('a');
      if (state.kind !== 'live') throw new Error(state.kind);
      expect(JSON.parse(state.value.reveal())).toEqual(data);
      expect(await raw('data/a')).toContain(`"data":${state.value.reveal()}`);
    });

    it('of __proto__ as a name is a name', async () => {
      const { path, read, api } = await fresh();
      await api.call('POST', path('a'), '{"data":{"__proto__":{"admin":true},"constructor":1}}');
      const state = await read('a');
      if (state.kind !== 'live') throw new Error(state.kind);
      expect(state.value.reveal()).toContain('"__proto__":{"admin":true}');
      expect(({} as { admin?: true }).admin).toBeUndefined();
    });

    it.each(['1.0', '1e3', '-0', '12345678901234567890', '9007199254740993', '1.10', '1E-7', '0.1', '1e21'])(
      'leaves the number %s as the server spells it',
      async (number) => {
        const { path, read, api, raw } = await fresh();
        await api.call('POST', path('a'), `{"data":{"n":${number}}}`);
        const state = await read('a');
        if (state.kind !== 'live') throw new Error(state.kind);
        const spelled = /"n":([^}]+)}/.exec(await raw('data/a'))?.[1];
        expect(state.value.reveal()).toBe(`{"n":${spelled}}`);
        expect(Number(spelled)).toBe(Number(number));
      },
    );

    it('of data that is null is a value, not a deletion', async () => {
      const { path, read, api, write, versionOf } = await fresh();
      await api.call('POST', path('a'), '{"data":null}');
      const state = await read('a');
      expect(state).toMatchObject({ kind: 'live', version: 1 });
      if (state.kind === 'live') {
        expect(state.value.reveal()).toBe('null');
        expect(await write('copy', state.value.reveal(), 0)).toBe(1);
        expect(await read('copy')).toMatchObject({ kind: 'live', version: 1 });
        expect(await versionOf('copy')).toBe(1);
      }
    });

    it('of a deleted current version names the version', async () => {
      const { api, path, read } = await fresh();
      await api.put(path('a'), {});
      await api.put(path('a'), {});
      await api.softDelete(path('a'));
      expect(await read('a')).toEqual({ kind: 'deleted', version: 2 });
    });

    it('of a destroyed current version names the version', async () => {
      const { api, mount, path, read } = await fresh();
      await api.put(path('a'), {});
      await api.call('POST', `${mount}destroy/a`, { versions: [1] });
      expect(await read('a')).toEqual({ kind: 'deleted', version: 1 });
    });

    it('of a key with a deletion_time in the future is live', async () => {
      const { api, mount, path, read } = await fresh();
      await api.call('POST', `${mount}metadata/a`, { delete_version_after: '1h' });
      await api.put(path('a'), {});
      expect(await read('a')).toMatchObject({ kind: 'live', version: 1 });
    });

    it('of nothing is "absent": never written, metadata only, metadata deleted', async () => {
      const { api, mount, path, read } = await fresh();
      await api.call('POST', `${mount}metadata/only`, { max_versions: 3 });
      await api.put(path('gone'), {});
      await api.destroyMetadata(path('gone'));
      for (const key of ['never', 'only', 'gone']) expect(await read(key), key).toEqual({ kind: 'absent' });
    });

    it('without a mount, or without rights, is a failure, not "absent"', async () => {
      const { api, path, mount, read } = await fresh();
      await api.put(path('a'), {});
      const blind = await fresh('path "MOUNT/metadata/*" { capabilities = ["read"] }');
      await api.put(blind.path('a'), {});
      for (const key of ['a', 'missing']) {
        await expect(blind.read(key)).rejects.toMatchObject({
          code: 'VAULT_FORBIDDEN',
          class: 'path',
          status: 403,
        });
      }
      await api.unmount(mount);
      await expect(read('a')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE', class: 'transient' });
    });

    it('of a KV v1 mount is a failure, or "absent" where v1 has no such key: mountOf is to be asked first', async () => {
      const kv = await freshMount(target(), '1');
      await target().api.call('POST', `${kv.mount}data/a`, { k: 'v' });
      const vault = destinationVault(await kv.client());
      const v1 = await vault.readSecret(kv.path('a'), callScope()).catch((error: unknown) => error);
      expect(v1).toMatchObject({ code: 'VAULT_BAD_ANSWER' });
      await expect(vault.mountOf(kv.path('a'), callScope())).rejects.toMatchObject({
        code: 'TRANSFORM_BAD_TARGET',
      });
    });

    it('from a server that answers something else is a failure that shows nothing of it', async () => {
      const { dev } = target();
      const { api, path, read } = await fresh();
      await api.put(path('a'), { p: 'canary' });
      if (dev === undefined) return;
      const metadata = '"metadata":{"version":1,"created_time":"t"}';
      const answers = [
        { status: 200, body: '' },
        { status: 204 },
        { status: 200, body: 'null' },
        { status: 200, body: '<html>canary' },
        { status: 200, body: '{"data":null}' },
        { status: 200, body: `{"data":{${metadata}}}` },
        { status: 200, body: `{"data":{"data":"canary",${metadata}}}` },
        { status: 200, body: '{"data":{"data":{"p":"canary"}}}' },
        { status: 404, body: '' },
        { status: 404, body: 'canary' },
        { status: 404, body: '{"data":{"metadata":{"version":"1"}}}' },
        { status: 404, body: '{"errors":["canary"]}' },
        { status: 500, body: '{"errors":["canary"]}' },
      ];
      for (const answer of answers) {
        const fault = dev.faults.add({ match: { method: 'GET' }, action: { kind: 'answer', answer } });
        const outcome: unknown = await read('a').catch((error: unknown) => error);
        expect(outcome, JSON.stringify(answer)).toMatchObject({ name: 'VsyncError' });
        expectNoLeak(outcome, 'canary');
        fault.remove();
      }
      const cut = dev.faults.add({ match: { method: 'GET' }, action: { kind: 'cutAfterBytes', bytes: 300 } });
      expectNoLeak(await read('a').catch((error: unknown) => error), 'canary');
      cut.remove();
    });
  });

  describe('a write', () => {
    const refused = { code: 'VAULT_REFUSED', class: 'path', status: 400, ambiguous: false };

    it('of a new key has check-and-set 0, and only once', async () => {
      const { write, read, versionOf } = await fresh();
      expect(await write('a', '{"k":1}', 0)).toBe(1);
      await expect(write('a', '{"k":2}', 0)).rejects.toMatchObject(refused);
      expect(await versionOf('a')).toBe(1);
      expect(await read('a')).toMatchObject({ kind: 'live', version: 1 });
    });

    it('of a known key has its current version', async () => {
      const { write, versionOf } = await fresh();
      expect(await write('a', '{}', 0)).toBe(1);
      expect(await write('a', '{}', 1)).toBe(2);
      for (const cas of [0, 1, 3]) await expect(write('a', '{}', cas)).rejects.toMatchObject(refused);
      expect(await write('a', '{}', 2)).toBe(3);
      expect(await versionOf('a')).toBe(3);
    });

    it('over a deleted version is refused with 0, and takes its version', async () => {
      const { write, remove, read } = await fresh();
      await write('a', '{}', 0);
      await remove('a');
      await expect(write('a', '{}', 0)).rejects.toMatchObject(refused);
      expect(await read('a')).toEqual({ kind: 'deleted', version: 1 });
      expect(await write('a', '{"k":2}', 1)).toBe(2);
      expect(await read('a')).toMatchObject({ kind: 'live', version: 2 });
    });

    it('over a destroyed version is refused with 0, and takes its version', async () => {
      const { write, api, mount } = await fresh();
      await write('a', '{}', 0);
      await api.call('POST', `${mount}destroy/a`, { versions: [1] });
      await expect(write('a', '{}', 0)).rejects.toMatchObject(refused);
      expect(await write('a', '{}', 1)).toBe(2);
    });

    it('over metadata only, or after all metadata were deleted, has 0', async () => {
      const { write, api, mount, path } = await fresh();
      await api.call('POST', `${mount}metadata/only`, { cas_required: true });
      await expect(write('only', '{}', 1)).rejects.toMatchObject(refused);
      expect(await write('only', '{}', 0)).toBe(1);
      await write('gone', '{}', 0);
      await write('gone', '{}', 1);
      await api.destroyMetadata(path('gone'));
      expect(await write('gone', '{}', 0)).toBe(1);
    });

    it('is sent as the text that it is', async () => {
      const { write, read, api, path } = await fresh();
      const json = '{ "b" : 1.0,\n"a":"\\u00fc\\/", "nested":{"data":{"options":{"cas":99}}} }';
      expect(await write('a', json, 0)).toBe(1);
      expect((await api.get(path('a')))?.data).toEqual(JSON.parse(json));
      expect(await read('a')).toMatchObject({ kind: 'live', version: 1 });
    });

    it('of what was read is the same again', async () => {
      const { write, read, api, path, raw } = await fresh();
      await api.call(
        'POST',
        path('a'),
        '{"data":{"n":12345678901234567890,"f":1.10,"t":"ü<&>\\u2028","o":{"__proto__":1}}}',
      );
      const state = await read('a');
      if (state.kind !== 'live') throw new Error(state.kind);
      await write('b', state.value.reveal(), 0);
      const copy = await read('b');
      if (copy.kind !== 'live') throw new Error(copy.kind);
      expect(copy.value.reveal()).toBe(state.value.reveal());
      expect(copy.value.sameAs(state.value)).toBe(true);
      expect(await raw('data/b')).toContain(state.value.reveal());
    });

    it('that is refused for another reason has the status too: only a read tells them apart; no value is in the error', async () => {
      const { write, versionOf } = await fresh();
      for (const json of ['"canary"', '{"canary":', '42']) {
        const error: unknown = await write('a', json, 0).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject(refused);
        expectNoLeak(error, 'canary');
      }
      expect(await versionOf('a')).toBe(0);
    });

    it('without rights, or without a mount, is a failure that shows no value', async () => {
      const { client, mount, write, api } = await fresh('path "MOUNT/data/*" { capabilities = ["read"] }');
      const denied: unknown = await write('a', '{"p":"canary"}', 0).catch((thrown: unknown) => thrown);
      expect(denied).toMatchObject({ code: 'VAULT_FORBIDDEN', class: 'path', status: 403 });
      expectNoLeak(denied, 'canary');
      await api.unmount(mount);
      const lost: unknown = await destinationVault(client)
        .writeSecret(`${mount}data/a` as never, new SecretValue('{"p":"canary"}'), 0, callScope())
        .catch((thrown: unknown) => thrown);
      // A token without rights there is told 403 first.
      expect(lost).toMatchObject({ name: 'VsyncError' });
      expectNoLeak(lost, 'canary');
    });

    it('with the right to create only can be made once', async () => {
      const { write } = await fresh('path "MOUNT/data/*" { capabilities = ["create"] }');
      expect(await write('a', '{}', 0)).toBe(1);
      await expect(write('a', '{}', 1)).rejects.toMatchObject({ code: 'VAULT_FORBIDDEN' });
    });

    it('that may have had its effect says so, and is not sent again (R8)', async () => {
      const { dev } = target();
      const { mount, path, client, versionOf } = await fresh();
      if (dev === undefined) return;
      const patient = destinationVault(
        await (await freshMount(target())).client(undefined, { retry: quickRetries }),
      );
      const eof = { status: 500, body: '{"errors":["canary"]}' };
      const cases = [
        { action: { kind: 'dropReply' }, code: 'VAULT_UNREACHABLE', effect: true },
        { action: { kind: 'answerAfterEffect', answer: eof }, code: 'VAULT_UNAVAILABLE', effect: true },
        { action: { kind: 'cutAfterBytes', bytes: 10 }, code: 'VAULT_UNREACHABLE', effect: true },
        {
          action: { kind: 'answerAfterEffect', answer: { status: 200, body: '<html>canary' } },
          code: 'VAULT_BAD_ANSWER',
          effect: true,
        },
        {
          action: { kind: 'answerAfterEffect', answer: { status: 200, body: '{"data":{}}' } },
          code: 'VAULT_BAD_ANSWER',
          effect: true,
        },
        { action: { kind: 'answer', answer: eof }, code: 'VAULT_UNAVAILABLE', effect: false },
        { action: { kind: 'reset' }, code: 'VAULT_UNREACHABLE', effect: false },
      ] as const;
      for (const [i, { action, code, effect }] of cases.entries()) {
        const fault = dev.faults.add({
          match: { pathPattern: new RegExp(`^${mount}data/`) },
          times: 1,
          action,
        });
        const error: unknown = await patient
          .writeSecret(path(`k${i}`), new SecretValue('{"p":"canary"}'), 0, callScope())
          .catch((thrown: unknown) => thrown);
        expect(error, JSON.stringify(action)).toMatchObject({ code, ambiguous: true });
        expectNoLeak(error, 'canary');
        expect(fault.hits).toBe(1);
        expect(await versionOf(`k${i}`), JSON.stringify(action)).toBe(effect ? 1 : 0);
      }
      await client.close();
    });
  });

  describe('a delete', () => {
    it('soft-deletes the current version; older ones stay as they are', async () => {
      const { write, remove, read, api, path, mount } = await fresh();
      await write('a', '{"k":1}', 0);
      await write('a', '{"k":2}', 1);
      await remove('a');
      expect(await read('a')).toEqual({ kind: 'deleted', version: 2 });
      const { body } = await api.call('GET', `${mount}data/a?version=1`);
      expect(body.data).toMatchObject({ data: { k: 1 } });
      await api.undelete(path('a'), [2]);
      expect(await read('a')).toMatchObject({ kind: 'live', version: 2 });
    });

    it('of what is deleted already, or never was, does nothing', async () => {
      const { write, remove, read, versionOf } = await fresh();
      await remove('never');
      expect(await read('never')).toEqual({ kind: 'absent' });
      await write('a', '{}', 0);
      await remove('a');
      await remove('a');
      expect(await read('a')).toEqual({ kind: 'deleted', version: 1 });
      expect(await versionOf('a')).toBe(1);
    });

    it('without the right to is a failure, and nothing is deleted', async () => {
      const { api, path, remove, read } = await fresh(
        'path "MOUNT/data/*" { capabilities = ["read", "update", "create"] }',
      );
      await api.put(path('a'), {});
      await expect(remove('a')).rejects.toMatchObject({ code: 'VAULT_FORBIDDEN', class: 'path' });
      expect(await read('a')).toMatchObject({ kind: 'live' });
    });

    it('that may have had its effect says so', async () => {
      const { dev } = target();
      const { write, remove, read } = await fresh();
      await write('a', '{}', 0);
      if (dev === undefined) return;
      dev.faults.add({ match: { method: 'DELETE' }, times: 1, action: { kind: 'dropReply' } });
      await expect(remove('a')).rejects.toMatchObject({ code: 'VAULT_UNREACHABLE', ambiguous: true });
      expect(await read('a')).toEqual({ kind: 'deleted', version: 1 });
    });
  });
}
