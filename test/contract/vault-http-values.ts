import { describe, expect, it } from 'vitest';
import {
  expectError,
  freshMount,
  patchType,
  type VaultServers,
  type VaultTarget,
} from './vault-http-target.ts';

/** Numbers, strings and sizes of values. */
export function valueFacts(servers: VaultServers, vault: () => VaultTarget): void {
  const openbao = servers.flavour === 'openbao';

  describe('a number of a KV v2 secret', () => {
    it.each([
      ['9007199254740993', '9007199254740992'],
      ['12345678901234567890', '12345678901234567000'],
      ['123456789012345680000', '123456789012345680000'],
      ['999999999999999999999', '1e+21'],
      ['1.0', '1'],
      ['1.10', '1.1'],
      ['-0', '-0'],
      ['-0.0', '-0'],
      ['1e5', '100000'],
      ['1E+2', '100'],
      ['1e20', '100000000000000000000'],
      ['1e21', '1e+21'],
      ['0.000001', '0.000001'],
      ['1e-7', '1e-7'],
      ['1.5e-10', '1.5e-10'],
      ['5e-324', '5e-324'],
      ['1e-400', '0'],
      ['1.7976931348623157e308', '1.7976931348623157e+308'],
    ])('sent as %s is read as %s', async (sent, read) => {
      const kv = await freshMount(vault());
      await kv.send('POST data/a', `{"data":{"n":${sent},"deep":[{"n":${sent}}]}}`);
      const { text } = await kv.send('GET data/a');
      expect(text).toContain(`"data":{"deep":[{"n":${read}}],"n":${read}}`);
      expect((await kv.send('PATCH data/a', { data: { x: 1 } }, patchType)).status).toBe(200);
      expect((await kv.send('GET data/a')).text).toContain(`"n":${read},"x":1}`);
    });

    it.each(['1e400', '-1e400'])('that no float64 can hold is poison: %s', async (number) => {
      const kv = await freshMount(vault());
      const written = await kv.send('POST data/a', `{"data":{"n":${number}}}`);
      if (openbao) expectError(written, 400);
      else {
        expect(written.status).toBe(200);
        expectError(await kv.send('GET data/a'), 500);
        expectError(await kv.send('GET subkeys/a'), 500);
        expectError(await kv.send('PATCH data/a', { data: {} }, patchType), 500);
        expect(await kv.metadata('a')).toMatchObject({ current_version: 1 });
      }
    });
  });

  describe('text', () => {
    it.each([
      { name: 'escapes', sent: '"\\"\\\\\\/\\n\\t\\u0001\\u00e9"', read: '"\\"\\\\/\\n\\t\\u0001é"' },
      { name: 'a pair of surrogates', sent: '"\\ud83d\\ude00"', read: '"\u{1F600}"' },
      { name: 'a lone surrogate', sent: '"x\\ud800y"', read: '"x\ufffdy"' },
      { name: 'DEL', sent: '"\\u007f"', read: '"\u007f"' },
    ])('with $name', async ({ sent, read }) => {
      const kv = await freshMount(vault());
      await kv.send('POST data/a', `{"data":{"k":${sent}}}`);
      expect((await kv.send('GET data/a')).text).toContain(`"data":{"k":${read}}`);
    });

    it.each(['"\u0001"', '"\\x"', '"abc', '01', '+1', '.5', '{"a":1,}', "'a'", 'nul'])(
      'that is no JSON is 400: %s',
      async (value) => {
        const kv = await freshMount(vault());
        expectError(await kv.send('POST data/a', `{"data":{"k":${value}}}`), 400);
      },
    );
  });

  describe('a value', () => {
    it('above 1 MiB is taken by storage in memory and refused by raft', async () => {
      const kv = await freshMount(vault());
      const big = { k: 'x'.repeat(1024 * 1024) };
      const reply = await kv.send('POST data/a', { data: big });
      if (openbao) expectError(reply, 500);
      else expect((await kv.send('GET data/a')).data.data).toEqual(big);
    });

    it('with more than 1,000 strings is refused by OpenBao', async () => {
      const kv = await freshMount(vault());
      const pairs = (count: number) => ({
        data: Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v'])),
      });
      expect((await kv.send('POST data/a', pairs(490))).status).toBe(200);
      expect((await kv.send('POST data/a', pairs(510))).status).toBe(openbao ? 400 : 200);
    });
  });
}
