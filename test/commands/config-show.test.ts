import { describe, expect, it } from 'vitest';
import { destinationKeys, originKeys, temporaryFolder } from '../config/support.ts';
import { runMain } from './run-main.ts';

const folder = temporaryFolder();
const origin = folder.write('sub/origin.json', JSON.stringify({ name: 'fra', ...originKeys }));
const show = (args: string[] = [], columns?: number) =>
  runMain(['config', 'show', '-c', origin, ...args], {
    cwd: folder.path,
    env: { VSYNC_NUMBUCKETS: '16' },
    ...(columns !== undefined && { columns }),
  });

describe('vsync config show', () => {
  it('shows value and source of each key that has a value', async () => {
    const { code, out, err } = await show(['--origin.tick', '30s']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^origin fra, from\n {2}.*sub\/origin\.json\n\n/);
    expect(out).toMatch(/^origin\.tick +30s +flag --origin\.tick$/m);
    expect(out).toMatch(/^numBuckets +16 +env VSYNC_NUMBUCKETS$/m);
    expect(out).toMatch(/^origin\.mounts +\["kv\/"\] +sub\/origin\.json:1:\d+$/m);
    expect(out).toMatch(/^origin\.timeout +5m +default$/m);
    expect(out).not.toMatch(/^origin\.cron/m);
    expect(out).toMatch(/not set, and without a default: \d+ keys \(--all\)\n$/);
  });

  it('shows of a secret its fingerprint', async () => {
    const { out } = await show();
    expect(out).toMatch(/^origin\.vault\.token +hvs\.\*\*\*\*\(sha256:[0-9a-f]{4}\)/m);
    expect(out).not.toContain('canary');
    const pem = '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----';
    const keyed = await runMain(['config', 'show', '-c', origin], {
      env: { VSYNC_ORIGIN_VAULT_TLS_CLIENT_KEY: pem, VSYNC_ORIGIN_VAULT_TLS_CLIENT_CERT: pem },
    });
    expect(keyed.out).toMatch(/^origin\.vault\.tls\.client_key +\(PEM text\)/m);
    expect(keyed.out + keyed.err).not.toContain('canary');
  });

  it('shows all keys with --all', async () => {
    const { out } = await show(['--all']);
    expect(out).toMatch(/^origin\.cron +not set$/m);
  });

  it('fits a terminal of 60 columns', async () => {
    const { out } = await show(['--no-color'], 60);
    const [, ...body] = out.split('\n\n');
    for (const line of body.join('\n').split('\n')) expect(line.length, line).toBeLessThanOrEqual(60);
    expect(out).toContain('origin.vault.address: https://vault.one:8200\n  (sub/origin.json:1:');
  });

  it('is one document with --json', async () => {
    const { out } = await show(['--json']);
    const { role, name, files, keys } = JSON.parse(out);
    expect({ role, name, files }).toEqual({ role: 'origin', name: 'fra', files: [origin] });
    expect(keys).toContainEqual({ key: 'numBuckets', value: '16', source: 'env VSYNC_NUMBUCKETS' });
    expect(keys).toContainEqual({ key: 'origin.cron', value: null, source: null });
  });

  it('shows the problems instead where there is no configuration', async () => {
    const { code, out, err } = await runMain(['config', 'show', '--role', 'destination', '-c', origin]);
    expect({ code, out }).toEqual({ code: 78, out: '' });
    expect(err).toContain('error: destination.vault.address: is missing');
    const json = await runMain(['config', 'show', '--role', 'destination', '-c', origin, '--json']);
    expect(JSON.parse(json.err.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'exit_error',
      code: 78,
      id: 'CONFIG_MISSING_VALUE',
    });
  });

  it('names environment and flags where there is no file', async () => {
    const env = Object.fromEntries(
      Object.entries({ ...destinationKeys, 'origin.mounts': 'kv/' }).map(([key, value]) => [
        `VSYNC_${key.replaceAll('.', '_').toUpperCase()}`,
        value,
      ]),
    );
    const { code, out } = await runMain(['config', 'show'], { env });
    expect(code).toBe(0);
    expect(out).toMatch(/^destination, from no file\n/);
  });
});
