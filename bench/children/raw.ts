import { createInterface } from 'node:readline';
import { Pool } from 'undici';
import { usageNow } from './usage.ts';

/**
 * The raw limit: bare undici loops that send the requests of vsync's cycles with the same concurrency and token, and nothing else.
 * Runs one command for each line of standard input and answers with one line.
 */

/** A mount of a Vault. */
export interface RawMount {
  readonly address: string;
  readonly token: string;
  /** With its trailing slash. */
  readonly mount: string;
}

export type RawCommand =
  /** LIST of each folder and GET of the metadata of each key. */
  | { readonly kind: 'scan'; readonly from: RawMount }
  /** For each key one read at the origin and one write, with check-and-set, at the destination. */
  | { readonly kind: 'copy'; readonly from: RawMount; readonly to: RawMount; readonly cas: number }
  /** For each key one read at each end, at the same time. */
  | { readonly kind: 'read-both'; readonly from: RawMount; readonly to: RawMount }
  /** For each key one read at the origin (a 404) and one delete at the destination. */
  | { readonly kind: 'delete'; readonly from: RawMount; readonly to: RawMount };

export type RawRequest = RawCommand & { readonly workers: number; readonly keys?: readonly string[] };

export interface RawResult {
  readonly durationMs: number;
  readonly requests: number;
  /** Of this command alone. */
  readonly cpuUs: number;
  /** Of the process since its start. */
  readonly processCpuUs: number;
  readonly peakRssBytes: number;
}

const pools = new Map<string, Pool>();
let requests = 0;

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await measured(JSON.parse(line) as RawRequest))}\n`);
}
for (const pool of pools.values()) await pool.destroy();

async function measured(request: RawRequest): Promise<RawResult> {
  const before = usageNow().cpuUs;
  const requestsBefore = requests;
  const startedAt = performance.now();
  await run(request);
  const durationMs = performance.now() - startedAt;
  const after = usageNow();
  return {
    durationMs,
    requests: requests - requestsBefore,
    cpuUs: after.cpuUs - before,
    processCpuUs: after.cpuUs,
    peakRssBytes: after.peakRssBytes,
  };
}

async function run(request: RawRequest): Promise<void> {
  const { workers, keys = [] } = request;
  switch (request.kind) {
    case 'scan':
      return scan(request.from, workers);
    case 'copy':
      return forEach(keys, workers, async (key) => {
        const value = await read(request.from, key, workers);
        await write(request.to, key, value, request.cas, workers);
      });
    case 'read-both':
      return forEach(keys, workers, async (key) => {
        await Promise.all([read(request.from, key, workers), read(request.to, key, workers)]);
      });
    case 'delete':
      return forEach(keys, workers, async (key) => {
        await call(request.from, 'GET', `data/${key}`, workers, 404);
        await call(request.to, 'DELETE', `data/${key}`, workers, 204);
      });
  }
}

/** Lists while it reads: whoever is free takes a key, or else a folder. */
function scan(from: RawMount, workers: number): Promise<void> {
  const folders = [''];
  const keys: string[] = [];
  let underWay = 0;
  const list = async (folder: string) => {
    const text = await call(from, 'GET', `metadata/${folder}?list=true`, workers, 200);
    for (const name of (JSON.parse(text) as { data: { keys: string[] } }).data.keys)
      (name.endsWith('/') ? folders : keys).push(`${folder}${name}`);
  };
  const nextJob = () => {
    const key = keys.pop();
    if (key !== undefined) return call(from, 'GET', `metadata/${key}`, workers, 200);
    const folder = folders.pop();
    return folder === undefined ? undefined : list(folder);
  };
  return new Promise((resolve, reject) => {
    const fill = () => {
      while (underWay < workers) {
        const job = nextJob();
        if (job === undefined) break;
        underWay += 1;
        job.then(() => {
          underWay -= 1;
          fill();
        }, reject);
      }
      if (underWay === 0) resolve();
    };
    fill();
  });
}

async function forEach(
  keys: readonly string[],
  workers: number,
  work: (key: string) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < keys.length; i = next++) await work(keys[i] as string);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

/** The value of a secret as the text that Vault sent. */
async function read(from: RawMount, key: string, workers: number): Promise<string> {
  const text = await call(from, 'GET', `data/${key}`, workers, 200);
  return text.slice(text.indexOf('"data":{"data":') + 15, text.indexOf(',"metadata":{'));
}

function write(to: RawMount, key: string, value: string, cas: number, workers: number): Promise<string> {
  return call(to, 'POST', `data/${key}`, workers, 200, `{"options":{"cas":${cas}},"data":${value}}`);
}

async function call(
  { address, token, mount }: RawMount,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  workers: number,
  expected: number,
  body?: string,
): Promise<string> {
  requests += 1;
  const answer = await poolOf(address, workers).request({
    method,
    path: `/v1/${mount}${path}`,
    headers: { 'X-Vault-Token': token, 'X-Vault-Request': 'true' },
    body: body ?? null,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== expected)
    throw new Error(`${method} ${mount}${path}: ${answer.statusCode} ${text}`);
  return text;
}

function poolOf(address: string, workers: number): Pool {
  let pool = pools.get(address);
  if (pool === undefined) {
    pool = new Pool(address, { connections: workers });
    pools.set(address, pool);
  }
  return pool;
}
