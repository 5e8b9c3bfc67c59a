import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answer, HostileServer } from './hostile-server.ts';

/**
 * The switches of Node and of the packages that print what goes over the wire. They are read when a process starts, so the clients run
 * in one of their own. Tokens and values carry a canary.
 */
const script = `
  import { ConsulClient } from './consul/client.ts';
  import { VaultClient } from './vault/client.ts';
  import { readSecret, writeSecret } from './vault/kv.ts';
  import { logIn } from './vault/login.ts';
  import { VaultTokens } from './vault/token.ts';
  import { Secret } from './base/secret.ts';
  import { SecretValue } from './sync/secret-value.ts';
  import { RetryBudget } from './base/retry.ts';

  const [address] = process.argv.slice(2);
  const retry = { retries: 1, baseMs: 0, maxMs: 0 };
  const scope = { signal: new AbortController().signal, budget: new RetryBudget() };
  const attempt = (call) => call().catch((error) => console.log(error, String(error), JSON.stringify(error)));

  const vault = new VaultClient({ side: 'origin', address, maxInFlight: 2, requestTimeoutMs: 5000, retry });
  new VaultTokens(vault, { kind: 'token', token: new Secret('s.canary-token') });
  await attempt(() => readSecret(vault, 'secret/data/good', scope));
  await attempt(() => writeSecret(vault, 'secret/data/good', new SecretValue('{"p":"canary-value"}'), 0, scope));
  for (const status of ['400', '403', '404', '500', 'cut']) {
    await attempt(() => readSecret(vault, 'secret/data/' + status, scope));
    await attempt(() => writeSecret(vault, 'secret/data/' + status, new SecretValue('{"p":"canary-value"}'), 0, scope));
    const role = { kind: 'approle', path: status, roleId: new Secret('canary-role'), secretId: new Secret('canary-secret-id') };
    await attempt(() => logIn(vault, role, undefined));
  }
  await vault.close();

  const consul = new ConsulClient({ side: 'origin', address, token: new Secret('canary-consul'), requestTimeoutMs: 200, retry });
  for (const key of ['good', '400', '403', '404', '500', 'cut']) {
    await attempt(() => consul.get(key, scope));
    await attempt(() => consul.put(key, '{}', scope));
    await attempt(() => consul.transaction([{ Verb: 'set', Key: key, Value: '{}' }], scope));
  }
  consul.close();
  console.log('all was tried');
`;

let server: HostileServer;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vsync-debug-'));
  server = await HostileServer.start((socket, request) => {
    const word = /(400|403|404|500|cut)/.exec(request.target + request.body)?.[1];
    if (word === 'cut')
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"data":{"data":{"p":"canary-value"');
    else if (word !== undefined)
      answer(Number(word), `{"errors":["canary-value: ${word}"]}`)(socket, request);
    else {
      answer(
        200,
        '{"data":{"data":{"p":"canary-value"},"version":1,"metadata":{"version":1,"created_time":"t"}}}',
        {
          'Content-Type': 'application/json',
          'X-Consul-Index': '1',
        },
      )(socket, request);
    }
  });
  await build({
    stdin: {
      contents: script,
      resolveDir: fileURLToPath(new URL('../../src', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outfile: join(dir, 'clients.mjs'),
    logLevel: 'error',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  });
}, 60_000);
afterAll(async () => {
  await server?.close();
  await rm(dir, { recursive: true, force: true });
});

/** Standard output and error together. */
async function run(env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, [join(dir, 'clients.mjs'), server.address], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  await once(child, 'close');
  expect(output, output.slice(-2000)).toContain('all was tried');
  return output;
}

describe('no token and no value is printed', () => {
  it.each([
    { name: 'as it is', env: {} },
    { name: 'with DEBUG=*', env: { DEBUG: '*' } },
    { name: 'with DEBUG=node-vault', env: { DEBUG: 'node-vault' } },
    { name: 'with NODE_DEBUG', env: { NODE_DEBUG: 'http,https,net,tls,undici,fetch,stream' } },
    {
      name: 'with the environment of other Vault clients',
      env: { VAULT_TOKEN: 's.other', VAULT_ADDR: 'http://127.0.0.1:1' },
    },
  ])('$name', async ({ env }) => {
    const output = await run(env);
    const line = output.split('\n').find((each) => each.includes('canary'));
    expect(line, 'the first line with a canary').toBeUndefined();
  });
});
