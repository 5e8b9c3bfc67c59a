import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { expect } from 'vitest';
import type { AclToken } from '../../src/dev/consul/acl.ts';
import { ManualClock } from '../../src/dev/consul/clock.ts';
import { startDevConsul } from '../../src/dev/consul/dev-consul.ts';
import { waitFor } from '../servers/processes.ts';
import { startConsul } from '../servers/real-servers.ts';

/** The servers that the facts of `consul-http.test.ts` are checked on, and a client so raw that it shows them as they are. */

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Names as they were sent. */
  readonly headerNames: readonly string[];
  readonly bytes: Buffer;
  /** The body without the newline that Consul adds in dev mode only. */
  readonly text: string;
  readonly json: unknown;
  /** `X-Consul-Index`; NaN if there is none. */
  readonly index: number;
  /** From sending the request to the end of the answer. */
  readonly ms: number;
}

export interface RequestOptions {
  readonly body?: string | Buffer | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Send the body in chunks, without Content-Length. */
  readonly chunked?: boolean;
}

export interface ConsulTarget {
  readonly address: string;
  /** `path` goes out as it is: nothing is encoded, resolved or followed. */
  send(method: string, path: string, options?: RequestOptions): Promise<Reply>;
  /** Lets time pass for the server: by waiting, or by moving its clock. */
  passTime(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** How to have one kind of server. */
export interface ConsulServers {
  /** A server to share. */
  start(): Promise<ConsulTarget>;
  /** A server for one test that lets time pass, or the shared one if its time passes anyway. */
  startForTime(shared: ConsulTarget): Promise<ConsulTarget>;
  /** A server with ACLs, default deny, that knows these tokens. */
  startWithAcl(tokens: readonly AclToken[]): Promise<ConsulTarget>;
}

export const devConsuls: ConsulServers = {
  start: () => devTarget({}),
  startForTime: () => devTarget({ clock: new ManualClock() }),
  startWithAcl: (tokens) => devTarget({ tokens }),
};

async function devTarget(options: {
  readonly clock?: ManualClock;
  readonly tokens?: readonly AclToken[];
}): Promise<ConsulTarget> {
  const { clock, tokens } = options;
  const consul = await startDevConsul({ ...(clock && { clock }), ...(tokens && { acl: { tokens } }) });
  return target(consul.address, {
    passTime: async (ms) => clock?.advance(ms),
    stop: () => consul.close(),
  });
}

export const realConsuls: ConsulServers = {
  start: () => realTarget(undefined),
  startForTime: async (shared) => ({ ...shared, stop: async () => undefined }),
  startWithAcl: async (tokens) => {
    const master = '99999999-0000-4000-8000-000000000000';
    const acl = { enabled: true, default_policy: 'deny', tokens: { master } };
    const consul = await realTarget({ acl });
    await createTokens(consul, master, tokens);
    return consul;
  },
};

async function realTarget(config: Readonly<Record<string, unknown>> | undefined): Promise<ConsulTarget> {
  const consul = await startConsul(config);
  return target(consul.address, {
    passTime: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    stop: () => consul.stop(),
  });
}

/** Mirrors the tokens of the dev server's options through the ACL API, which answers 403 until the leader has set ACLs up. */
async function createTokens(
  consul: ConsulTarget,
  master: string,
  tokens: readonly AclToken[],
): Promise<void> {
  const put = (path: string, body: unknown) =>
    consul.send('PUT', path, { body: JSON.stringify(body), headers: { 'X-Consul-Token': master } });
  for (const [position, { token, rules, sessionWrite, agentRead }] of tokens.entries()) {
    const lines = rules.map(({ prefix, policy }) => `key_prefix "${prefix}" { policy = "${policy}" }`);
    if (sessionWrite) lines.push('session_prefix "" { policy = "write" }');
    if (agentRead) lines.push('agent_prefix "" { policy = "read" }');
    const policy = { Name: `policy-${position}`, Rules: lines.join('\n') };
    await waitFor(async () => (await put('/v1/acl/policy', policy)).status === 200, 20_000);
    const created = await put('/v1/acl/token', { SecretID: token, Policies: [{ Name: policy.Name }] });
    expect(created.status, created.text).toBe(200);
  }
}

function target(address: string, rest: Pick<ConsulTarget, 'passTime' | 'stop'>): ConsulTarget {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const { hostname, port } = new URL(address);
  const send = async (method: string, path: string, options: RequestOptions = {}): Promise<Reply> => {
    const started = performance.now();
    const body = options.body ?? '';
    const length = options.chunked || method === 'GET' ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const outgoing = request({
      agent,
      hostname,
      port,
      method,
      path,
      headers: { ...length, ...options.headers },
    });
    if (options.chunked) outgoing.setHeader('Transfer-Encoding', 'chunked');
    outgoing.end(body);
    const [response] = await once(outgoing, 'response');
    const bytes = Buffer.concat(await response.toArray());
    return {
      status: response.statusCode,
      headers: response.headers,
      headerNames: response.rawHeaders.filter((_: string, at: number) => at % 2 === 0),
      bytes,
      text: bytes.toString('utf8').replace(/\n$/, ''),
      get json(): unknown {
        return JSON.parse(bytes.toString('utf8'));
      },
      index: Number(response.headers['x-consul-index'] ?? Number.NaN),
      ms: performance.now() - started,
    };
  };
  return {
    address,
    send,
    passTime: rest.passTime,
    stop: async () => {
      agent.destroy();
      await rest.stop();
    },
  };
}

/** The KV endpoint under a prefix of its own, so that facts do not get in each other's way: all are of one length, none begins another. */
export interface KvTarget {
  readonly prefix: string;
  /** `key` may carry a query: `a?recurse`. It is not encoded. */
  get(key: string, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  put(key: string, body?: string | Buffer, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  delete(key: string, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  /** The entry of a key. Fails the test if there is none. */
  entry(key: string): Promise<Entry>;
  /** The names below the prefix, without it. */
  names(query?: string): Promise<readonly string[]>;
}

export interface Entry {
  readonly LockIndex: number;
  readonly Key: string;
  readonly Flags: number;
  readonly Value: string | null;
  readonly Session?: string;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

let prefixes = 0;

export function freshKv(consul: ConsulTarget): KvTarget {
  prefixes += 1;
  const prefix = `fact-${String(prefixes).padStart(4, '0')}/`;
  const url = (key: string) => `/v1/kv/${prefix}${key}`;
  const get: KvTarget['get'] = (key, headers) => consul.send('GET', url(key), { headers });
  return {
    prefix,
    get,
    put: (key, body, headers) => consul.send('PUT', url(key), { body, headers }),
    delete: (key, headers) => consul.send('DELETE', url(key), { headers }),
    entry: async (key) => {
      const reply = await get(key);
      expect(reply.status, `status of key ${prefix}${key}`).toBe(200);
      const [entry] = reply.json as Entry[];
      if (entry === undefined) throw new Error('an empty list');
      return entry;
    },
    names: async (query = '') => {
      const reply = await get(`?keys${query}`);
      return reply.status === 404 ? [] : (reply.json as string[]).map((name) => name.slice(prefix.length));
    },
  };
}

/** The value of an entry as text. */
export function textOfValue(entry: Entry): string {
  return Buffer.from(entry.Value ?? '', 'base64').toString('utf8');
}
