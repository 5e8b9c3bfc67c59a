import { VsyncError } from '../../src/base/errors.ts';
import { RetryBudget } from '../../src/base/retry.ts';
import type { CycleRun } from '../../src/cycle/cycle-run.ts';
import { runCycle } from '../../src/cycle/cycle-run.ts';
import type { DestinationCycleOptions } from '../../src/cycle/destination-cycle.ts';
import type { CycleEvent } from '../../src/cycle/events.ts';
import type { Completed, CycleOutcome } from '../../src/cycle/outcome.ts';
import type { PlanOptions } from '../../src/cycle/plan-destination.ts';
import type {
  BucketsOf,
  CallScope,
  DestinationVault,
  FolderListing,
  KeyValue,
  MountState,
  OriginMetadata,
  OriginSecrets,
  OwnIndex,
  SecretState,
  StoredIndex,
  WritableSyncInfoStore,
} from '../../src/cycle/ports.ts';
import {
  type Bucket,
  bucketHash,
  emptyBucketHash,
  indexJson,
  parseBucket,
  parseIndex,
} from '../../src/sync/bucket.ts';
import { defaultGuards } from '../../src/sync/delete-guard.ts';
import type { Insight } from '../../src/sync/insight.ts';
import { type DataPath, dataPath, type Mount } from '../../src/sync/mount-path.ts';
import { pathFilter } from '../../src/sync/path-filter.ts';
import { SecretValue } from '../../src/sync/secret-value.ts';
import { SyncInfo, type SyncInfoChanges } from '../../src/sync/sync-info.ts';

/**
 * The outside of a cycle in memory, with every call written down in `calls` and failures to switch on: for tests of the flow itself.
 * That the real outside behaves like this is the affair of `test/contract`.
 */

export const secret = 'secret/' as Mount;
export const at = (key: string): DataPath => dataPath(secret, key);

/** Failures by call, as `calls` names it (`list secret/app/`, `read secret/data/a`); `times` undefined = each time. */
export class Failures {
  readonly #planned = new Map<string, { error: unknown; times: number }>();

  plan(call: string, error: unknown, times = Number.POSITIVE_INFINITY): void {
    this.#planned.set(call, { error, times });
  }

  clear(): void {
    this.#planned.clear();
  }

  throwFor(call: string): void {
    const planned = this.#planned.get(call);
    if (planned === undefined || planned.times === 0) return;
    planned.times -= 1;
    throw planned.error;
  }
}

export const failure = {
  forbidden: () => new VsyncError({ code: 'VAULT_FORBIDDEN', message: 'refused', status: 403 }),
  broken: () =>
    new VsyncError({
      code: 'VAULT_UNAVAILABLE',
      class: 'path',
      message: 'failed',
      status: 500,
      retryable: true,
    }),
  unreachable: () => new VsyncError({ code: 'VAULT_UNREACHABLE', message: 'gone', retryable: true }),
  casRefused: () => new VsyncError({ code: 'VAULT_REFUSED', message: 'check-and-set', status: 400 }),
  /** The request may have taken effect. */
  unclear: () =>
    new VsyncError({ code: 'VAULT_UNREACHABLE', message: 'cut', retryable: true, ambiguous: true }),
};

interface Version {
  readonly value: string;
  readonly createdTime: string;
  deleted: boolean;
}

/** One Vault: keys with versions. Times count up by a second for each write. */
export class FakeVault implements OriginMetadata, OriginSecrets, DestinationVault {
  readonly calls: string[] = [];
  readonly failures = new Failures();
  readonly keys = new Map<DataPath, Version[]>();
  mountId = 'mount-1';
  /** Runs before a call takes effect: to let something happen in between. */
  before: (call: string) => void | Promise<void> = () => {};
  #now = Date.parse('2026-01-01T00:00:00Z');

  put(key: string, value: unknown): void {
    this.#write(at(key), JSON.stringify(value));
  }

  delete(key: string): void {
    const current = this.keys.get(at(key))?.at(-1);
    if (current !== undefined) current.deleted = true;
  }

  forget(key: string): void {
    this.keys.delete(at(key));
  }

  value(key: string): unknown {
    const current = this.keys.get(at(key))?.at(-1);
    return current === undefined || current.deleted ? undefined : JSON.parse(current.value);
  }

  versions(key: string): number {
    return this.keys.get(at(key))?.length ?? 0;
  }

  /** The live values by key. */
  all(): Record<string, unknown> {
    const live = [...this.keys].filter(([, versions]) => versions.at(-1)?.deleted === false);
    return Object.fromEntries(
      live.map(([path, versions]) => [
        path.slice('secret/data/'.length),
        JSON.parse(versions.at(-1)?.value ?? ''),
      ]),
    );
  }

  async describeMount(mount: Mount): Promise<MountState> {
    await this.#call(`mount ${mount}`);
    return { mount, id: this.mountId };
  }

  async readClock(): Promise<void> {}

  async listFolder(mount: Mount, folder: string): Promise<FolderListing> {
    await this.#call(`list ${mount}${folder}`);
    const prefix = dataPath(mount, folder);
    const names = new Set<string>();
    for (const path of this.keys.keys()) {
      if (!path.startsWith(prefix)) continue;
      const rest = path.slice(prefix.length);
      names.add(rest.includes('/') ? rest.slice(0, rest.indexOf('/') + 1) : rest);
    }
    const all = [...names].sort();
    return {
      keys: all.filter((name) => !name.endsWith('/')),
      folders: all.filter((name) => name.endsWith('/')),
    };
  }

  async readInsight(mount: Mount, key: string): Promise<Insight | undefined> {
    const path = dataPath(mount, key);
    await this.#call(`insight ${path}`);
    const versions = this.keys.get(path);
    const current = versions?.at(-1);
    if (versions === undefined || current === undefined || current.deleted) return undefined;
    return { version: versions.length, updateTime: current.createdTime, type: 'kvV2' };
  }

  async readSecret(path: DataPath): Promise<SecretState> {
    await this.#call(`read ${path}`);
    const versions = this.keys.get(path);
    const current = versions?.at(-1);
    if (versions === undefined || current === undefined) return { kind: 'absent' };
    if (current.deleted) return { kind: 'deleted', version: versions.length };
    return {
      kind: 'live',
      version: versions.length,
      createdTime: current.createdTime,
      value: new SecretValue(current.value),
    };
  }

  async readVersion(path: DataPath, version: number): Promise<SecretValue | undefined> {
    await this.#call(`read ${path} version ${version}`);
    const found = this.keys.get(path)?.[version - 1];
    return found === undefined || found.deleted ? undefined : new SecretValue(found.value);
  }

  async writeSecret(path: DataPath, value: SecretValue, cas: number): Promise<number> {
    await this.before(`write ${path}`);
    this.calls.push(`write ${path} cas=${cas}`);
    if ((this.keys.get(path)?.length ?? 0) !== cas) throw failure.casRefused();
    this.failures.throwFor(`refuse ${path}`);
    const version = this.#write(path, value.reveal());
    // A failure of the write itself comes after its effect: the reply was lost.
    this.failures.throwFor(`write ${path}`);
    return version;
  }

  async deleteSecret(path: DataPath): Promise<void> {
    this.calls.push(`delete ${path}`);
    this.failures.throwFor(`refuse ${path}`);
    const current = this.keys.get(path)?.at(-1);
    if (current !== undefined) current.deleted = true;
    this.failures.throwFor(`delete ${path}`);
  }

  async mountOf(path: DataPath): Promise<Mount> {
    await this.#call(`mountOf ${path}`);
    const mount = /^[^/]+\/(?=data\/.)/.exec(path)?.[0];
    if (mount === undefined || mount === 'v1/') {
      throw new VsyncError({ code: 'TRANSFORM_BAD_TARGET', message: `${path} is on no mount`, why: 'none' });
    }
    return mount as Mount;
  }

  #write(path: DataPath, value: string): number {
    this.#now += 1000;
    const versions = this.keys.get(path) ?? [];
    versions.push({ value, createdTime: new Date(this.#now).toISOString(), deleted: false });
    this.keys.set(path, versions);
    return versions.length;
  }

  async #call(call: string): Promise<void> {
    this.calls.push(call);
    await this.before(call);
    this.failures.throwFor(call);
  }
}

/** One side's sync info as Consul keeps it: texts, one counter for all indexes. */
export class FakeStore implements WritableSyncInfoStore {
  readonly prefix = 'vsync/test/';
  readonly calls: string[] = [];
  readonly failures = new Failures();
  readonly texts = new Map<string, string>();
  /** What was written beside a confirmation. */
  readonly told: KeyValue[] = [];
  modifyIndex = 0;
  indexModifyIndex = 0;

  /** Anyone's write below the prefix. */
  set(key: string, text: string | undefined): void {
    this.modifyIndex += 1;
    if (text === undefined) this.texts.delete(key);
    else this.texts.set(key, text);
    if (key === 'index') this.indexModifyIndex = this.modifyIndex;
  }

  /** Publishes insights as an origin would. */
  publish(insights: Readonly<Record<string, Insight>>, numBuckets = 1): void {
    const info = SyncInfo.empty(numBuckets);
    for (const [key, insight] of Object.entries(insights)) info.put(at(key), insight);
    const { index, buckets } = info.reindex([]);
    for (const { id, json } of buckets) this.set(String(id), json());
    this.set('index', indexJson(index));
  }

  /** What is stored, by key. */
  insights(): Record<string, Insight> {
    const found: Record<string, Insight> = {};
    for (const [key, text] of this.texts) {
      if (key === 'index') continue;
      for (const [path, insight] of parseBucket(text)) found[path.slice('secret/data/'.length)] = insight;
    }
    return found;
  }

  /** Whether every bucket matches the index. */
  consistent(): boolean {
    const index = parseIndex(this.texts.get('index') ?? '');
    return index.every((hash, id) => bucketHash(parseBucket(this.texts.get(String(id)) ?? 'x')) === hash);
  }

  async mark(): Promise<string> {
    this.calls.push('mark');
    return String(this.modifyIndex);
  }

  async confirm(stored: StoredIndex, beside: KeyValue | undefined): Promise<boolean> {
    this.calls.push('confirm');
    if (stored.modifyIndex !== this.indexModifyIndex) return false;
    if (beside !== undefined) this.told.push(beside);
    return true;
  }

  async loadOwnIndex(): Promise<OwnIndex | undefined> {
    this.calls.push('load:index');
    this.failures.throwFor('load:index');
    const text = this.texts.get('index');
    if (text === undefined) return undefined;
    try {
      return { index: parseIndex(text), modifyIndex: this.indexModifyIndex };
    } catch (error) {
      return { index: [], modifyIndex: this.indexModifyIndex, corrupt: error as VsyncError };
    }
  }

  async loadIndex(): Promise<StoredIndex | undefined> {
    const own = await this.loadOwnIndex();
    if (own?.corrupt !== undefined) throw own.corrupt;
    return own;
  }

  async loadBuckets(stored: StoredIndex, ids: readonly number[]): Promise<BucketsOf> {
    const buckets = new Map<number, Bucket>();
    for (const id of ids) {
      this.calls.push(`load:${id}`);
      this.failures.throwFor(`load:${id}`);
      const bucket = this.#verified(id, stored);
      if (bucket === undefined) {
        if (stored.modifyIndex !== this.indexModifyIndex)
          return { kind: 'moved', stored: await this.loadIndex() };
        throw new VsyncError({ code: 'SYNC_INFO_CORRUPT', message: `bucket ${id} is corrupt` });
      }
      buckets.set(id, bucket);
    }
    return { kind: 'verified', buckets };
  }

  async save(changes: Completed<SyncInfoChanges>, previous: StoredIndex | undefined): Promise<StoredIndex> {
    this.failures.throwFor('save');
    if ((previous?.modifyIndex ?? 0) !== this.indexModifyIndex) {
      throw new VsyncError({ code: 'SYNC_INFO_CONFLICT', message: 'another writer' });
    }
    for (const { id, json } of changes.buckets) {
      this.calls.push(`save:${id}`);
      this.set(String(id), json());
    }
    this.calls.push('save:index');
    this.set('index', indexJson(changes.index));
    return { index: changes.index, modifyIndex: this.indexModifyIndex };
  }

  #verified(id: number, stored: StoredIndex): Bucket | undefined {
    if (stored.index[id] === emptyBucketHash && !this.texts.has(String(id))) return undefined;
    try {
      const bucket = parseBucket(this.texts.get(String(id)) ?? 'missing');
      return bucketHash(bucket) === stored.index[id] ? bucket : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Runs one cycle as the daemon would, and keeps its events. */
export async function runOnce(
  body: (run: CycleRun) => Promise<CycleOutcome>,
  options: {
    readonly timeoutMs?: number;
    readonly draining?: AbortSignal;
    readonly drainStops?: boolean;
    readonly onEvent?: (event: CycleEvent) => void;
  } = {},
): Promise<CycleOutcome & { readonly events: readonly CycleEvent[] }> {
  const events: CycleEvent[] = [];
  const outcome = await runCycle(body, {
    trigger: 'manual',
    timeoutMs: options.timeoutMs ?? 60_000,
    draining: options.draining ?? new AbortController().signal,
    aborting: new AbortController().signal,
    drainStops: options.drainStops ?? false,
    emit: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  return { ...outcome, events };
}

export const noScope: CallScope = { signal: new AbortController().signal, budget: new RetryBudget() };

/** Takes every path. */
export const open = pathFilter([], []);

/** What a destination compares with, where a test does not say otherwise. */
export const planDefaults = {
  transforms: [],
  filter: open,
  originMounts: [secret],
  originFilter: open,
  sameVault: false,
  ignoreDeletes: false,
  guards: defaultGuards,
  approvedSets: async () => [],
} as const satisfies Partial<PlanOptions>;

/** The same for a whole cycle. */
export const cycleDefaults = {
  ...planDefaults,
  numWorkers: 3,
  onConflict: 'overwrite',
  batchSize: 100,
} as const satisfies Partial<DestinationCycleOptions>;
