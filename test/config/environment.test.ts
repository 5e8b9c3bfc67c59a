import { describe, expect, it } from 'vitest';
import { keySpecs } from '../../src/config/keys.ts';
import { configOf, destinationKeys, load, originKeys } from './support.ts';

const lines = async (env: Record<string, string>) => (await load(originKeys, { env })).lines;

describe('VSYNC_*', () => {
  it('sets any key, with values converted as text', async () => {
    const env = {
      VSYNC_NAME: 'n',
      VSYNC_LOG_LEVEL: 'debug',
      VSYNC_NUMBUCKETS: '32',
      VSYNC_IGNOREDELETES: 't',
      VSYNC_ORIGIN_SYNCPATH: 'a/b',
      VSYNC_ORIGIN_MOUNTS: 'kv/ teams/x/',
      VSYNC_ORIGIN_VAULT_APPROLE_PATH: 'ci',
      VSYNC_ORIGIN_VAULT_TLS_SKIP_VERIFY: 'false',
      VSYNC_ORIGIN_NUMWORKERS: 'auto',
      VSYNC_GUARDS_MAXDELETERATIO: '5%',
    };
    expect(configOf(await load(originKeys, { env }))).toMatchObject({
      name: 'n',
      log: { level: 'debug' },
      numBuckets: 32,
      ignoreDeletes: true,
      origin: {
        syncPath: 'a/b/',
        mounts: ['kv/', 'teams/x/'],
        vault: { approle: { path: 'ci' } },
        numWorkers: 'auto',
      },
      guards: { maxDeleteRatio: 0.05 },
    });
  });

  it('has a name for every key of the schema', async () => {
    const env = Object.fromEntries(keySpecs.map((spec) => [spec.env, '\u0000']));
    const { lines: said } = await load(destinationKeys, { role: 'destination', env });
    expect(said.filter((line) => line.includes('is not a variable'))).toEqual([]);
    for (const spec of keySpecs.filter(({ kind }) => kind === 'int' || kind === 'duration')) {
      expect(said.join('\n')).toContain(`env ${spec.env} ${spec.key}: `);
    }
  });

  it('takes transforms as JSON, for which Go had no way', async () => {
    const rule = { name: 'a', from: '^(?P<x>.+)$', to: 'kv/data/x' };
    for (const value of [rule, [rule]]) {
      const env = { VSYNC_DESTINATION_TRANSFORMS: JSON.stringify(value) };
      expect(configOf(await load(destinationKeys, { role: 'destination', env }))).toMatchObject({
        destination: { transforms: [rule] },
      });
    }
    const { lines: said } = await load(destinationKeys, {
      role: 'destination',
      env: { VSYNC_DESTINATION_TRANSFORMS: 'a=b' },
    });
    expect(said[0]).toContain(
      'error env VSYNC_DESTINATION_TRANSFORMS destination.transforms: must be JSON here - such as [{',
    );
  });

  it('VSYNC_ORIGIN_VAULT_ADDR is another name of the address', async () => {
    const { config, lines: said } = await load(originKeys, {
      env: { VSYNC_ORIGIN_VAULT_ADDR: 'https://other' },
    });
    expect(config?.origin.vault.address).toBe('https://other');
    expect(said).toEqual([]);
  });

  it.each([
    {
      name: 'VSYNC_LOGLEVEL',
      says: 'warning env VSYNC_LOGLEVEL: is an old name - set VSYNC_LOG_LEVEL (used as that)',
    },
    {
      name: 'VSYNC_SYNCPATH',
      says: 'warning env VSYNC_SYNCPATH: is an old name - set VSYNC_ORIGIN_SYNCPATH and VSYNC_DESTINATION_SYNCPATH (used as that)',
    },
    {
      name: 'VSYNC_ORIGIN_DC',
      says: 'warning env VSYNC_ORIGIN_DC: is an old name - set VSYNC_ORIGIN_CONSUL_DC (used as that)',
    },
    {
      name: 'VSYNC_DATAPATHS',
      says: 'warning env VSYNC_DATAPATHS: is an old name - it is ignored; write origin.mounts and destination.mounts',
    },
    {
      name: 'VSYNC_ORIGIN',
      says: 'warning env VSYNC_ORIGIN: names origin, which holds keys, not a value; it is ignored - set its keys, such as VSYNC_ORIGIN_VAULT_ADDRESS',
    },
    {
      name: 'VSYNC_ORIGIN_VAULT_TLS',
      says: 'warning env VSYNC_ORIGIN_VAULT_TLS: names origin.vault.tls, which holds keys',
    },
    {
      name: 'VSYNC_ORIGN_TICK',
      says: 'warning env VSYNC_ORIGN_TICK: is not a variable of vsync; it is ignored - did you mean VSYNC_ORIGIN_TICK?',
    },
    { name: 'VSYNC_NUM_BUCKETS', says: 'did you mean VSYNC_NUMBUCKETS?' },
    { name: 'VSYNC_HTTP_LISTEN', says: 'warning env VSYNC_HTTP_LISTEN: is not supported yet; it is ignored' },
    { name: 'VSYNC_ORIGIN_VAULT_APPROLE_SECRET_ID_WRAPPED', says: 'is not supported yet' },
  ])('$name warns', async ({ name, says }) => {
    const said = await lines({ [name]: 'debug' });
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(says);
  });

  it.each([
    'VSYNC_CONFIG',
    'VSYNC_NO_COLOR',
    'VSYNC_SERVICE_HOST',
    'VSYNC_SERVICE_PORT',
    'VSYNC_SERVICE_PORT_HTTP',
    'VSYNC_PORT',
    'VSYNC_ORIGIN_PORT_8611_TCP',
    'VSYNC_ORIGIN_PORT_8611_TCP_ADDR',
  ])('%s is not ours to warn of', async (name) => {
    const { lines: said } = await load(originKeys, { env: { [name]: 'x' } });
    expect(said).toEqual([]);
  });

  it('with a wrong value names the variable', async () => {
    expect(await lines({ VSYNC_ORIGIN_TICK: '10' })).toEqual([
      'error env VSYNC_ORIGIN_TICK origin.tick: needs a unit (got "10") - write it like "10s"',
    ]);
  });

  it('that is empty or of another program is not looked at', async () => {
    expect(
      await lines({ VSYNC_ORIGIN: '', VSYNC_TYPO: '', VSYNCX: '1', vsync_origin_tick: '10', PATH: '/' }),
    ).toEqual([]);
  });
});
