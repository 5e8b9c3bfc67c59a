import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Side } from '../base/errors.ts';
import { VsyncError } from '../base/errors.ts';
import type { RetryPolicy } from '../base/retry.ts';
import type { Secret } from '../base/secret.ts';
import { SecretFile } from '../base/secret-file.ts';
import type { Config, ConsulConfig, TlsConfig, VaultConfig } from '../config/config.ts';
import { ConsulClient } from '../consul/client.ts';
import { VaultClient } from '../vault/client.ts';
import type { VaultAuth } from '../vault/login.ts';
import { VaultTokens } from '../vault/token.ts';

/** Configuration -> clients. Nothing is sent yet. */

/** One side's Vault: its client and its token. */
export interface VaultConnection {
  readonly client: VaultClient;
  readonly tokens: VaultTokens;
}

/** Opens the client of one side's Vault for these workers. */
export async function openVault(
  side: Side,
  vault: VaultConfig,
  workers: Workers,
  retry: RetryPolicy,
): Promise<VaultConnection> {
  const client = new VaultClient({
    side,
    address: vault.address,
    namespace: vault.namespace,
    tls: await readTls(vault.tls),
    maxInFlight: workers.most,
    findsConcurrency: workers.auto,
    rateLimit: vault.rateLimit > 0 ? vault.rateLimit : undefined,
    requestTimeoutMs: vault.requestTimeoutMs,
    retry: { ...retry, retries: vault.maxRetries },
  });
  return { client, tokens: new VaultTokens(client, authOf(vault)) };
}

/** Opens the client of one side's Consul. */
export async function openConsul(
  side: Side,
  consul: ConsulConfig,
  retry: RetryPolicy,
): Promise<ConsulClient> {
  return new ConsulClient({
    side,
    address: consul.address,
    token: consul.token,
    tokenFile: consul.tokenFile === undefined ? undefined : new SecretFile(consul.tokenFile),
    datacenter: consul.remoteDc,
    namespace: consul.namespace,
    partition: consul.partition,
    tls: await readTls(consul.tls),
    requestTimeoutMs: consul.requestTimeoutMs,
    rateLimit: consul.rateLimit > 0 ? consul.rateLimit : undefined,
    retry,
  });
}

export function retryPolicyOf({ retry }: Config): RetryPolicy {
  return { retries: 4, baseMs: retry.baseMs, maxMs: retry.maxMs };
}

/** How many workers `numWorkers` means: a fixed number, or as many as bring the most, up to a cap. */
export interface Workers {
  readonly most: number;
  readonly auto: boolean;
}

/** What `auto` never goes beyond: more brought nothing on any server that was measured. */
const mostAutoWorkers = 64;

export function workersOf(numWorkers: number | 'auto'): Workers {
  return numWorkers === 'auto' ? { most: mostAutoWorkers, auto: true } : { most: numWorkers, auto: false };
}

/** A token wins over AppRole, as in the Go program; a file over neither, since the loader refuses both. */
function authOf({ token, tokenFile, approle }: VaultConfig): VaultAuth {
  if (tokenFile !== undefined) return { kind: 'token_file', file: tokenFile };
  if (token !== undefined) return { kind: 'token', token };
  return {
    kind: 'approle',
    path: approle.path.replace(/^\/+|\/+$/g, ''),
    roleId: fileOr(approle.roleIdFile, approle.roleId) as Secret,
    secretId: fileOr(approle.secretIdFile, approle.secretId),
  };
}

function fileOr(
  file: string | undefined,
  text: Secret | undefined,
): Secret | { readonly file: string } | undefined {
  return file === undefined ? text : { file };
}

/** TLS material as text, from the files or the texts of the configuration. Throws `CONFIG_UNREADABLE`. */
export async function readTls(tls: TlsConfig) {
  const [ca, more, cert, key] = await Promise.all([
    pemOf(tls.caCert),
    pemsIn(tls.caPath),
    pemOf(tls.clientCert),
    pemOf(tls.clientKey),
  ]);
  const authorities = [...(ca === undefined ? [] : [ca]), ...more];
  return {
    ...(authorities.length > 0 && { ca: authorities.join('\n') }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tls.serverName !== undefined && { serverName: tls.serverName }),
    skipVerify: tls.skipVerify,
  };
}

/** Every PEM file of a folder of authorities. */
async function pemsIn(folder: string | undefined): Promise<string[]> {
  if (folder === undefined) return [];
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  const texts = await Promise.all(
    names.sort().map((name) => readFile(join(folder, name), 'utf8').catch(() => '')),
  );
  const pems = texts.filter((text) => text.includes('-----BEGIN CERTIFICATE-----'));
  if (pems.length === 0) throw unreadable(folder, { code: 'no PEM file is in it' });
  return pems;
}

async function pemOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined || file.includes('-----BEGIN')) return file;
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error);
  });
}

function unreadable(file: string, error: unknown): VsyncError {
  return new VsyncError({
    code: 'CONFIG_UNREADABLE',
    path: file,
    message: `cannot read ${file}: ${String((error as { code?: unknown }).code)}`,
    hint: 'it must exist and be readable for the user that vsync runs as',
  });
}
