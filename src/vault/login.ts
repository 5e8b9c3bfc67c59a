import { VsyncError } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import { readSecretFile } from '../base/secret-file.ts';
import type { VaultClient } from './client.ts';
import { encodePath } from './encode-path.ts';
import { badAnswer, NotFound } from './errors.ts';

/** How a token is had: written down, in a file, or by an AppRole login. */

/** Text, or the file it is read from each time it is needed. */
export type SecretSource = Secret | { readonly file: string };

/** How a side authenticates. */
export type VaultAuth =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'token_file'; readonly file: string }
  | {
      readonly kind: 'approle';
      /** Where the method is mounted, without `auth/`: `approle`. */
      readonly path: string;
      readonly roleId: SecretSource;
      /** May be left out when the role allows it. */
      readonly secretId?: SecretSource | undefined;
    };

export type AppRole = Extract<VaultAuth, { kind: 'approle' }>;

/** What is known of the token in use. */
export interface TokenFacts {
  /** Granted or remaining lifetime when it was asked; 0 = never expires. */
  readonly ttlSeconds: number;
  readonly renewable: boolean;
  readonly accessor: string;
  readonly policies: readonly string[];
  /** The period of a periodic token, 0 for others: only those can be renewed without end. */
  readonly periodSeconds: number;
  /** How often the token may be used in all; 0 = without limit. */
  readonly numUses: number;
}

/** Facts from `data` of lookup-self, or from `auth` of a login or renewal; the two name the lifetime differently. */
export function tokenFacts(answer: Readonly<Record<string, unknown>>): TokenFacts {
  return {
    ttlSeconds: Number(answer.ttl ?? answer.lease_duration ?? 0),
    renewable: answer.renewable === true,
    accessor: String(answer.accessor ?? ''),
    policies: Array.isArray(answer.policies) ? answer.policies.map(String) : [],
    periodSeconds: Number(answer.period ?? 0),
    numUses: Number(answer.num_uses ?? 0),
  };
}

/** Logs in with AppRole. Throws `LOGIN_FAILED` when the login is refused. */
export async function logIn(
  client: VaultClient,
  auth: AppRole,
  signal: AbortSignal | undefined,
): Promise<{ readonly token: Secret; readonly facts: TokenFacts }> {
  const path = `auth/${auth.path}/login`;
  const roleId = await readSecret(auth.roleId);
  const secretId = auth.secretId === undefined ? undefined : await readSecret(auth.secretId);
  try {
    const request = {
      method: 'POST',
      path: `/${encodePath(path)}`,
      about: path,
      body: { role_id: roleId.reveal(), ...(secretId && { secret_id: secretId.reveal() }) },
      authenticated: false,
      signal,
    } as const;
    const body = await client.ask(request, true);
    const granted = (body as { auth?: Record<string, unknown> }).auth;
    if (typeof granted?.client_token !== 'string') {
      const { side, address } = client;
      throw badAnswer({ side, address, method: 'POST', path, writes: false }, 'it holds no token');
    }
    return { token: new Secret(granted.client_token), facts: tokenFacts(granted) };
  } catch (error) {
    throw loginError(client, path, error);
  }
}

/** The text of a source. Throws `CONFIG_UNREADABLE`. */
export async function readSecret(source: SecretSource): Promise<Secret> {
  return source instanceof Secret ? source : readSecretFile(source.file);
}

function loginError(client: VaultClient, path: string, error: unknown): unknown {
  const status = error instanceof NotFound ? 404 : error instanceof VsyncError ? error.status : undefined;
  // Without an answer, or with one that may be another a moment later, nothing is wrong with the credentials. A missing role_id is a 500.
  const transient = status === undefined || status === 429 || status > 500;
  if (transient) return error;
  const { side, address } = client;
  return new VsyncError({
    side,
    server: 'vault',
    address,
    path,
    code: 'LOGIN_FAILED',
    status,
    message: `the ${side} Vault refused the AppRole login (${status} on ${path})`,
    why: 'role_id or secret_id is wrong, expired or used up, or the method is mounted elsewhere',
    hint: `check ${side}.vault.approle.role_id, .secret_id and .path; vault write -f auth/<path>/role/<role>/secret-id`,
  });
}
