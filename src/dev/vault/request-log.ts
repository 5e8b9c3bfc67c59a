import type { Mount } from './mounts.ts';

/** What a server was asked: for tests that count requests. */

/** Lines kept; a longer run forgets the oldest ones, but counts all. */
const maxLines = 100_000;

export class RequestLog {
  #lines: string[] = [];
  readonly #counts = new Map<string, number>();
  #total = 0;

  /** `METHOD target` of each request in order, as sent: `GET /v1/secret/data/app?version=2`. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** How many requests there were. */
  get total(): number {
    return this.#total;
  }

  /**
   * Requests of one kind, such as `GET data`, `LIST metadata`, `PUT undelete`, `GET sys/health`, `PUT auth/login`. POST counts as PUT,
   * `GET ?list=true` as LIST, `GET ?scan=true` as SCAN; a KV v1 secret is `v1`, a path outside of all mounts `none`.
   */
  count(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** All counts by kind. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  add(method: string, target: string, kind: string): void {
    this.#total += 1;
    this.#counts.set(kind, this.count(kind) + 1);
    this.#lines.push(`${method} ${target}`);
    if (this.#lines.length > maxLines) this.#lines = this.#lines.slice(-maxLines / 2);
  }

  reset(): void {
    this.#lines = [];
    this.#counts.clear();
    this.#total = 0;
  }
}

/** The kind of a request, for `RequestLog.count`. `path` is without `/v1/`. */
export function kindOf(verb: string, path: string, mount: Mount | undefined): string {
  const method = verb === 'POST' ? 'PUT' : verb;
  return `${method} ${routeOf(path, mount)}`;
}

function routeOf(path: string, mount: Mount | undefined): string {
  const segments = path.split('/');
  if (mount === undefined) return 'none';
  if (mount.path === 'sys/') return segments.slice(0, segments[1] === 'policies' ? 3 : 2).join('/');
  if (mount.path.startsWith('auth/')) return `auth/${segments.filter((segment) => segment !== '').at(-1)}`;
  if (mount.engine.kind === 'kv2') return path.slice(mount.path.length).split('/', 1)[0] ?? '';
  return mount.engine.kind === 'kv1' ? 'v1' : mount.path.replace(/\/$/, '');
}
