import type { IncomingHttpHeaders } from 'node:http';
import { Pool } from 'undici';
import { expect } from 'vitest';
import { startDevVault } from '../../src/dev/vault/dev-vault.ts';
import { systemClock } from '../../src/dev/vault/go-time.ts';
import { startVault } from '../servers/real-servers.ts';

/** The servers that the facts of `vault-http.test.ts` are checked on, and a client so raw that it shows them as they are. */

export type Flavour = 'vault' | 'openbao';
export type Data = Readonly<Record<string, unknown>>;

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON. Fails the test if it is none. */
  readonly json: Envelope;
  /** `data` of the body. Fails the test if there is none. */
  readonly data: Data;
}

export interface Envelope {
  readonly [key: string]: unknown;
  readonly errors?: readonly string[];
  readonly data?: Data | null;
  readonly warnings?: readonly string[] | null;
  readonly auth?: Data | null;
}

export interface RequestOptions {
  /** Sent as it is if it is text, else as JSON. */
  readonly body?: unknown;
  /** Default: the root token. `null` sends none. */
  readonly token?: string | null | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface VaultTarget {
  readonly flavour: Flavour;
  readonly address: string;
  readonly rootToken: string;
  unsealKey(): string;
  /** `request` is `METHOD target`; the target goes out as it is, below `/v1/` unless it begins with a slash. Redirects are not followed. */
  send(request: string, body?: unknown, options?: RequestOptions): Promise<Reply>;
  /** Lets time pass for the server: by waiting, or by moving its clock. */
  passSeconds(seconds: number): Promise<void>;
  stop(): Promise<void>;
}

/** How to have one kind of server. */
export interface VaultServers {
  readonly flavour: Flavour;
  readonly start: () => Promise<VaultTarget>;
}

export function devVaults(flavour: Flavour): VaultServers {
  return {
    flavour,
    start: async () => {
      const real = systemClock();
      let ahead = 0n;
      const vault = await startDevVault({ flavour, clock: () => real() + ahead });
      return target(flavour, vault, {
        unsealKey: () => vault.unsealKey,
        passSeconds: async (seconds) => {
          ahead += BigInt(seconds * 1e9);
        },
        stop: () => vault.close(),
      });
    },
  };
}

export const realVaults: VaultServers = {
  flavour: 'vault',
  start: async () => {
    const vault = await startVault();
    return target('vault', vault, {
      // Printed a moment after the port opens.
      unsealKey: () => /^Unseal Key: (\S+)/m.exec(vault.output())?.[1] ?? '',
      passSeconds: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
      stop: () => vault.stop(),
    });
  },
};

function target(
  flavour: Flavour,
  { address, rootToken }: { readonly address: string; readonly rootToken: string },
  rest: Pick<VaultTarget, 'unsealKey' | 'passSeconds' | 'stop'>,
): VaultTarget {
  const pool = new Pool(address, { connections: 8 });
  const send: VaultTarget['send'] = async (request, given, options = {}) => {
    const space = request.indexOf(' ');
    const path = request.slice(space + 1);
    const body = given ?? options.body;
    const token = options.token === undefined ? rootToken : options.token;
    const reply = await pool.request({
      method: request.slice(0, space) as 'GET',
      path: path.startsWith('/') || path.includes('://') ? path : `/v1/${path}`,
      headers: { ...(token !== null && { 'X-Vault-Token': token }), ...options.headers },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    });
    return asReply(request, reply.statusCode, reply.headers, await reply.body.text());
  };
  return {
    flavour,
    address,
    rootToken,
    send,
    ...rest,
    stop: async () => {
      await pool.destroy();
      await rest.stop();
    },
  };
}

function asReply(request: string, status: number, headers: IncomingHttpHeaders, text: string): Reply {
  return {
    status,
    headers,
    text,
    get json(): Envelope {
      return JSON.parse(text) as Envelope;
    },
    get data(): Data {
      const { data } = JSON.parse(text || '{}') as Envelope;
      if (data === undefined || data === null) throw new Error(`${request}: ${status} without data: ${text}`);
      return data;
    },
  };
}

export const patchType = { headers: { 'Content-Type': 'application/merge-patch+json' } };

/** What a status and a body mean: the five kinds of answer that a client must tell apart. */
export const is = {
  ok: expect.objectContaining({ status: 200 }),
  noContent: expect.objectContaining({ status: 204, text: '' }),
  /** 404 `{"errors":[]}`: nothing there, or an empty folder. */
  nothing: expect.objectContaining({ status: 404, text: '{"errors":[]}\n' }),
} as const;

/** An error answer: the status, and one message that is not empty. */
export function expectError(reply: Reply, status: number): void {
  expect(reply.status, reply.text).toBe(status);
  expect(reply.json.errors, reply.text).toEqual([expect.stringMatching(/./)]);
  expect(reply.text.endsWith('\n'), 'a newline at the end').toBe(true);
}

/** 404 with the usual envelope but no newline: a deleted version, or a path that is none. */
export function expectNotFoundWithBody(reply: Reply): Envelope {
  expect(reply.status, reply.text).toBe(404);
  expect(reply.json).not.toHaveProperty('errors');
  expect(reply.text.endsWith('}'), 'no newline at the end').toBe(true);
  return reply.json;
}

/** 404 for a path that a KV v2 mount does not have. */
export function expectWrongPath(reply: Reply): void {
  const { data, warnings } = expectNotFoundWithBody(reply);
  expect({ data, warnings }).toEqual({ data: null, warnings: [expect.stringMatching(/./)] });
}

/** A KV v2 mount of its own for one test. */
export interface KvMount {
  /** With its slash. */
  readonly path: string;
  /** Like `VaultTarget.send`, below the mount: `GET data/a`. */
  send(request: string, body?: unknown, options?: RequestOptions): Promise<Reply>;
  /** Writes a version, 200. */
  write(key: string, data?: unknown, rest?: Data): Promise<Data>;
  /** Metadata of a key, 200. */
  metadata(key: string): Promise<Metadata>;
  /** Names in a folder, none if it is empty. */
  names(folder?: string): Promise<readonly string[]>;
}

export interface VersionState {
  readonly created_time: string;
  readonly deletion_time: string;
  readonly destroyed: boolean;
}

export interface Metadata {
  readonly created_time: string;
  readonly updated_time: string;
  readonly current_version: number;
  readonly oldest_version: number;
  readonly max_versions: number;
  readonly cas_required: boolean;
  readonly delete_version_after: string;
  readonly custom_metadata: Readonly<Record<string, string>> | null;
  readonly versions: Readonly<Record<string, VersionState>>;
}

let mounts = 0;

/** Mounts an engine under a new name: KV v2 unless said otherwise. */
export async function freshMount(vault: VaultTarget, version = '2'): Promise<KvMount> {
  mounts += 1;
  const path = `fact-${mounts}/`;
  const send: KvMount['send'] = (request, body, options) =>
    vault.send(request.replace(' ', ` ${path}`), body, options);
  expect(await vault.send(`POST sys/mounts/fact-${mounts}`, { type: 'kv', options: { version } })).toEqual(
    is.noContent,
  );
  return {
    path,
    send,
    write: async (key, data = {}, rest = {}) => {
      const reply = await send(`POST data/${key}`, { data, ...rest });
      expect(reply.status, reply.text).toBe(200);
      return reply.data;
    },
    metadata: async (key) => {
      const reply = await send(`GET metadata/${key}`);
      expect(reply.status, reply.text).toBe(200);
      return reply.data as unknown as Metadata;
    },
    names: async (folder = '') => {
      const reply = await send(`GET metadata/${folder}?list=true`);
      return reply.status === 404 ? [] : (reply.data.keys as string[]);
    },
  };
}

let policies = 0;

/** A token with one policy of these lines (`path` and capabilities), and `default` unless it says otherwise. */
export async function tokenWith(
  vault: VaultTarget,
  rules: Readonly<Record<string, readonly string[]>>,
  rest: Data = {},
): Promise<string> {
  policies += 1;
  const name = `fact-${policies}`;
  const lines = Object.entries(rules).map(
    ([path, capabilities]) => `path "${path}" { capabilities = ${JSON.stringify(capabilities)} }`,
  );
  const policy = ['# an empty policy is refused', ...lines].join('\n');
  const written = await vault.send(`PUT sys/policies/acl/${name}`, { policy });
  expect(written.status, written.text).toBe(204);
  const reply = await vault.send('POST auth/token/create', { policies: [name], ...rest });
  expect(reply.status, reply.text).toBe(200);
  return String(reply.json.auth?.client_token);
}
