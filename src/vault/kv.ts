import { exitCodes, VsyncError } from '../base/errors.ts';
import type { CallScope, SecretState } from '../cycle/ports.ts';
import { type Insight, insightOf, type KvMetadata } from '../sync/insight.ts';
import type { DataPath, Mount } from '../sync/mount-path.ts';
import type { SecretValue } from '../sync/secret-value.ts';
import type { VaultClient } from './client.ts';
import { encodePath } from './encode-path.ts';
import { badAnswer, NotFound, vaultName } from './errors.ts';
import { type KvAnswer, parseKvAnswer } from './kv-answer.ts';

/**
 * KV version 2 of Vault and OpenBao, one function per request. What a 404 means is decided here, each kind apart:
 * only `{"errors":[]}` and a deleted version are evidence of absence.
 */

/** `GET <mount>metadata/<key>`: the insight, or `undefined` when there is no secret. */
export async function readInsight(
  client: VaultClient,
  mount: Mount,
  key: string,
  serverNowMs: number,
  scope: CallScope,
): Promise<Insight | undefined> {
  const about = `${mount}metadata/${key}`;
  try {
    const { signal, budget } = scope;
    const body = await client.request({
      method: 'GET',
      path: `/${encodePath(about)}`,
      about,
      signal,
      budget,
    });
    const metadata = (body as { data?: unknown }).data;
    if (!isMetadata(metadata))
      throw badAnswer(failed(client, 'GET', about), 'it is not KV v2 metadata').as('path');
    return insightOf(metadata, serverNowMs);
  } catch (error) {
    // Deleted with all its metadata since the folder was listed.
    if (error instanceof NotFound && error.kind === 'empty') return undefined;
    throw readError(client, 'GET', about, error);
  }
}

/** `GET <mount>data/<key>`: value and version of the current version (or of the one asked for), one atomic pair. */
export async function readSecret(
  client: VaultClient,
  path: DataPath,
  scope: CallScope,
  version?: number,
): Promise<SecretState> {
  try {
    const answer = await client.request({
      method: 'GET',
      path: `/${encodePath(path)}${version === undefined ? '' : `?version=${version}`}`,
      about: path,
      parse: parseKvAnswer,
      signal: scope.signal,
      budget: scope.budget,
    });
    return answer as KvAnswer;
  } catch (error) {
    if (error instanceof NotFound && error.kind === 'empty') return { kind: 'absent' };
    if (error instanceof NotFound && error.kind === 'deleted' && error.version !== undefined) {
      return { kind: 'deleted', version: error.version };
    }
    throw readError(client, 'GET', path, error);
  }
}

/** `POST <mount>data/<key>` with check-and-set; returns the version that was made. The value is sent as the text it is. */
export async function writeSecret(
  client: VaultClient,
  path: DataPath,
  value: SecretValue,
  cas: number,
  scope: CallScope,
): Promise<number> {
  const text = `{"options":{"cas":${cas}},"data":${value.reveal()}}`;
  const body = await change(client, 'POST', path, text, scope);
  const version = (body as { data?: { version?: unknown } }).data?.version;
  if (typeof version !== 'number') throw badAnswer(failed(client, 'POST', path), 'it names no version');
  return version;
}

/** `DELETE <mount>data/<key>`: soft-deletes the current version. */
export async function deleteSecret(client: VaultClient, path: DataPath, scope: CallScope): Promise<void> {
  await change(client, 'DELETE', path, undefined, scope);
}

async function change(
  client: VaultClient,
  method: 'POST' | 'DELETE',
  path: DataPath,
  body: string | undefined,
  { signal, budget }: CallScope,
): Promise<unknown> {
  try {
    const request = { method, path: `/${encodePath(path)}`, about: path, body, signal, budget, writes: true };
    return await client.request(request);
  } catch (error) {
    throw readError(client, method, path, error);
  }
}

function failed(client: VaultClient, method: string, path: string) {
  return {
    side: client.side,
    address: client.address,
    method,
    path,
    writes: method === 'POST' || method === 'DELETE',
  };
}

/** Whether this is what `GET <mount>metadata/<key>` has in `data`. */
export function isMetadata(value: unknown): value is KvMetadata {
  const { current_version, updated_time, versions } = (value ?? {}) as Record<string, unknown>;
  return (
    Number.isSafeInteger(current_version) &&
    typeof updated_time === 'string' &&
    typeof versions === 'object' &&
    versions !== null
  );
}

/** What each kind of 404 says, in words. */
export const notFoundReasons = {
  empty: 'there is nothing',
  no_mount: 'there is no such mount, or no such namespace',
  deleted: 'the answer is that of a deleted version',
  wrong_path: 'it is no path of a KV version 2 mount',
  foreign: "a 404 that is not Vault's: a proxy or load balancer may have answered",
} as const;

function readError(client: VaultClient, method: string, about: string, error: unknown): unknown {
  if (!(error instanceof NotFound)) return error;
  return new VsyncError({
    side: client.side,
    server: 'vault',
    address: client.address,
    path: about,
    code: 'SECRET_UNREADABLE',
    // Without its mount no path can be read: that is not the failure of one secret.
    ...(error.kind === 'no_mount' && { class: 'transient', exitCode: exitCodes.unavailable }),
    status: 404,
    message: `${vaultName(client)} has no answer to ${method} ${about} (404)`,
    why: notFoundReasons[error.kind],
    hint: `is the mount still there? vault secrets list; then ${client.side}.mounts`,
  });
}
