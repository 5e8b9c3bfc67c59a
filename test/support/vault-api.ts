/** A plain HTTP client for tests: sets a real or embedded Vault up and looks into it, without any code of vsync. */
export class VaultApi {
  readonly address: string;
  readonly token: string;
  /** Mounts made here: where a path has several `/data/`, they tell which one follows the mount. */
  readonly #mounts = new Set(['secret/']);

  constructor(address: string, token: string) {
    this.address = address;
    this.token = token;
  }

  /** Sends a request; throws for any status but 2xx and 404. `path` is encoded and without `/v1/`. */
  async call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.address}/v1/${path}`, {
      method,
      headers: { 'X-Vault-Token': this.token, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok && response.status !== 404)
      throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return {
      status: response.status,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    };
  }

  /** Writes a secret; returns its version. `path` is `<mount>/data/<key>`, unencoded. */
  async put(path: string, data: unknown): Promise<number> {
    const { body } = await this.call('POST', encode(path), { data });
    return (body.data as { version: number }).version;
  }

  /** The live value and version, or `undefined` when there is none. */
  async get(path: string): Promise<{ data: unknown; version: number } | undefined> {
    const { status, body } = await this.call('GET', encode(path));
    if (status === 404) return undefined;
    const { data, metadata } = body.data as { data: unknown; metadata: { version: number } };
    return { data, version: metadata.version };
  }

  /** The live value as the text that Vault serves: digits and all. */
  async valueText(path: string): Promise<string | undefined> {
    const response = await fetch(`${this.address}/v1/${encode(path)}`, {
      headers: { 'X-Vault-Token': this.token },
    });
    return /"data":\{"data":(.*),"metadata":\{"created_time"/.exec(await response.text())?.[1];
  }

  /** Metadata of a key, or `undefined`. `path` is `<mount>/data/<key>`. */
  async metadata(path: string): Promise<Record<string, unknown> | undefined> {
    const { status, body } = await this.call('GET', this.#below('metadata', path));
    return status === 404 ? undefined : (body.data as Record<string, unknown>);
  }

  /** The number of versions ever written: what a needless write would raise. 0 for a key without metadata. */
  async versionOf(path: string): Promise<number> {
    return Number((await this.metadata(path))?.current_version ?? 0);
  }

  async softDelete(path: string): Promise<void> {
    await this.call('DELETE', encode(path));
  }

  async undelete(path: string, versions: readonly number[]): Promise<void> {
    await this.call('POST', this.#below('undelete', path), { versions });
  }

  async destroy(path: string, versions: readonly number[]): Promise<void> {
    await this.call('POST', this.#below('destroy', path), { versions });
  }

  /** Writes settings of a key (`max_versions`, `delete_version_after`, ...); makes its metadata if there is none. */
  async writeMetadata(path: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
    await this.call('POST', this.#below('metadata', path), settings);
  }

  async destroyMetadata(path: string): Promise<void> {
    await this.call('DELETE', this.#below('metadata', path));
  }

  async mount(name: string, version: '1' | '2' = '2'): Promise<void> {
    this.#mounts.add(name);
    await this.call('POST', `sys/mounts/${encode(name.replace(/\/$/, ''))}`, {
      type: 'kv',
      options: { version },
    });
    // A new KV v2 mount answers 400 for a moment while it is set up.
    for (let tries = 0; version === '2' && tries < 100; tries += 1) {
      const response = await fetch(`${this.address}/v1/${name}config`, {
        headers: { 'X-Vault-Token': this.token },
      });
      await response.arrayBuffer();
      if (response.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async unmount(name: string): Promise<void> {
    await this.call('DELETE', `sys/mounts/${encode(name.replace(/\/$/, ''))}`);
  }

  /** A token with one policy made of the given rules, without the `default` policy unless asked for. */
  async tokenFor(policy: string, rules: string, options: Record<string, unknown> = {}): Promise<string> {
    await this.call('PUT', `sys/policies/acl/${policy}`, { policy: rules });
    const { body } = await this.call('POST', 'auth/token/create', { policies: [policy], ...options });
    return (body.auth as { client_token: string }).client_token;
  }

  /** An AppRole with one policy made of the given rules. The method is mounted at `approle/` when it is not yet. */
  async appRoleFor(
    role: string,
    rules: string,
    options: Readonly<Record<string, unknown>> = {},
  ): Promise<{ role_id: string; secret_id: string }> {
    const { body: methods } = await this.call('GET', 'sys/auth');
    if (!('approle/' in methods)) await this.call('POST', 'sys/auth/approle', { type: 'approle' });
    await this.call('PUT', `sys/policies/acl/${role}`, { policy: rules });
    const path = `auth/approle/role/${role}`;
    await this.call('POST', path, { token_policies: [role], ...options });
    const { body: roleId } = await this.call('GET', `${path}/role-id`);
    const { body: secretId } = await this.call('POST', `${path}/secret-id`, {});
    return {
      role_id: (roleId.data as { role_id: string }).role_id,
      secret_id: (secretId.data as { secret_id: string }).secret_id,
    };
  }

  /** Every live secret below a mount: data path -> {data, version}. */
  async all(mount: string): Promise<Map<string, { data: unknown; version: number }>> {
    const found = new Map<string, { data: unknown; version: number }>();
    for (const path of await this.paths(mount)) {
      const value = await this.get(path);
      if (value !== undefined) found.set(path, value);
    }
    return found;
  }

  /** The live values below a mount: data path -> value. */
  async values(mount: string): Promise<Record<string, unknown>> {
    const all = await this.all(mount);
    return Object.fromEntries([...all].map(([path, { data }]) => [path, data]));
  }

  /** Metadata of every key below a mount, deleted ones included: whatever is written there shows in it. */
  async history(mount: string): Promise<Map<string, unknown>> {
    const paths = await this.paths(mount);
    return new Map(await Promise.all(paths.map(async (path) => [path, await this.metadata(path)] as const)));
  }

  /** The data path of every key below a mount, without judging whether it is live. */
  async paths(mount: string): Promise<string[]> {
    const found: string[] = [];
    const walk = async (folder: string): Promise<void> => {
      const { status, body } = await this.call(
        'GET',
        `${encode(`${mount}metadata/${folder}`.replace(/\/$/, ''))}/?list=true`,
      );
      if (status === 404) return;
      for (const name of (body.data as { keys: string[] }).keys) {
        if (name.endsWith('/')) await walk(`${folder}${name}`);
        else found.push(`${mount}data/${folder}${name}`);
      }
    };
    await walk('');
    return found;
  }

  /** The path of the same key in another part of its mount, encoded. */
  #below(part: 'metadata' | 'undelete' | 'destroy', path: string): string {
    const mount =
      [...this.#mounts].find((each) => path.startsWith(`${each}data/`)) ??
      path.slice(0, path.indexOf('/data/') + 1);
    return encode(`${mount}${part}/${path.slice(mount.length + 'data/'.length)}`);
  }
}

function encode(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
