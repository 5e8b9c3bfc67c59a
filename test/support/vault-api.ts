/** A plain HTTP client for tests: sets a real or embedded Vault up and looks into it, without any code of vsync. */
export class VaultApi {
  readonly address: string;
  readonly token: string;

  constructor(address: string, token: string) {
    this.address = address;
    this.token = token;
  }

  /** Sends a request; throws for any status but 2xx and 404. `path` is encoded and without `/v1/`. */
  async call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${this.address}/v1/${path}`, {
      method,
      headers: { 'X-Vault-Token': this.token, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok && response.status !== 404) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
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

  /** Metadata of a key, or `undefined`. `path` is `<mount>/data/<key>`. */
  async metadata(path: string): Promise<Record<string, unknown> | undefined> {
    const { status, body } = await this.call('GET', encode(path.replace('/data/', '/metadata/')));
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
    await this.call('POST', encode(path.replace('/data/', '/undelete/')), { versions });
  }

  async destroyMetadata(path: string): Promise<void> {
    await this.call('DELETE', encode(path.replace('/data/', '/metadata/')));
  }

  async mount(name: string, version: '1' | '2' = '2'): Promise<void> {
    await this.call('POST', `sys/mounts/${encode(name.replace(/\/$/, ''))}`, { type: 'kv', options: { version } });
    // A new KV v2 mount answers 400 for a moment while it is set up.
    for (let tries = 0; version === '2' && tries < 100; tries += 1) {
      const response = await fetch(`${this.address}/v1/${name}config`, { headers: { 'X-Vault-Token': this.token } });
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

  /** Every live secret below a mount: data path -> {data, version}. */
  async all(mount: string): Promise<Map<string, { data: unknown; version: number }>> {
    const found = new Map<string, { data: unknown; version: number }>();
    const walk = async (folder: string): Promise<void> => {
      const { status, body } = await this.call('GET', `${encode(`${mount}metadata/${folder}`.replace(/\/$/, ''))}/?list=true`);
      if (status === 404) return;
      for (const name of (body.data as { keys: string[] }).keys) {
        if (name.endsWith('/')) await walk(`${folder}${name}`);
        else {
          const value = await this.get(`${mount}data/${folder}${name}`);
          if (value !== undefined) found.set(`${mount}data/${folder}${name}`, value);
        }
      }
    };
    await walk('');
    return found;
  }
}

function encode(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
