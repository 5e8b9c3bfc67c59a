/** A plain HTTP client for tests: looks into a real or embedded Consul, without any code of vsync. */
export class ConsulApi {
  readonly address: string;
  readonly token: string | undefined;

  constructor(address: string, token?: string) {
    this.address = address;
    this.token = token;
  }

  async call(method: string, path: string, body?: string): Promise<Response> {
    return fetch(`${this.address}/v1/${path}`, {
      method,
      ...(body !== undefined && { body }),
      ...(this.token !== undefined && { headers: { 'X-Consul-Token': this.token } }),
    });
  }

  /** All keys below a prefix with text and ModifyIndex; what a run must leave unchanged can be compared as a whole. */
  async dump(prefix = ''): Promise<Map<string, { value: string; modifyIndex: number }>> {
    const response = await this.call('GET', `kv/${prefix}?recurse=true`);
    if (response.status === 404) {
      await response.arrayBuffer();
      return new Map();
    }
    const entries = (await response.json()) as { Key: string; Value: string | null; ModifyIndex: number }[];
    return new Map(
      entries.map(({ Key, Value, ModifyIndex }) => [
        Key,
        { value: Buffer.from(Value ?? '', 'base64').toString(), modifyIndex: ModifyIndex },
      ]),
    );
  }

  /** Consul's own mark of a prefix: it moves with every write or delete below, also of a key that is gone again. */
  async mark(prefix: string): Promise<string | null> {
    const response = await this.call('GET', `kv/${prefix}?keys=true`);
    await response.arrayBuffer();
    return response.headers.get('X-Consul-Index');
  }

  async get(key: string): Promise<string | undefined> {
    const response = await this.call('GET', `kv/${key}?raw`);
    const text = await response.text();
    return response.status === 404 ? undefined : text;
  }

  async put(key: string, value: string): Promise<void> {
    const response = await this.call('PUT', `kv/${key}`, value);
    if ((await response.text()).trim() !== 'true') throw new Error(`PUT ${key}: ${response.status}`);
  }

  async delete(prefix: string): Promise<void> {
    await (await this.call('DELETE', `kv/${prefix}?recurse=true`)).arrayBuffer();
  }
}
