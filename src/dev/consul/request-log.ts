/**
 * Which requests came in, for tests that hold a program to what it may cost.
 * May import: nothing.
 */

/** `recurse` and `keys` are the reads of a prefix; every other request to a key is `kv`. */
export type RequestKind =
  | 'kv'
  | 'recurse'
  | 'keys'
  | 'txn'
  | 'session'
  | 'status'
  | 'agent'
  | 'catalog'
  | 'other';

/** A server that runs for days keeps this many of its latest requests. */
const longestLog = 20_000;

export class RequestLog {
  readonly #counts = new Map<string, number>();
  #lines: string[] = [];
  #total = 0;

  /** The requests in order of arrival, as `METHOD /path?query`, without tokens. Of a long run only the latest. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** How many requests came in since the last reset. */
  get total(): number {
    return this.#total;
  }

  /** How many there were of one method and kind, such as `GET kv`, `GET recurse` or `PUT txn`. */
  count(methodAndKind: `${string} ${RequestKind}`): number {
    return this.#counts.get(methodAndKind) ?? 0;
  }

  /** All counts by method and kind. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  reset(): void {
    this.#counts.clear();
    this.#lines = [];
    this.#total = 0;
  }

  /** Notes a request by its method, and path and query as they were sent. */
  add(method: string, target: string): void {
    const name = `${method} ${kindOf(method, target)}`;
    this.#total += 1;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#lines.push(`${method} ${target.replace(/([?&]token=)[^&]*/g, '$1<hidden>')}`);
    if (this.#lines.length > 2 * longestLog) this.#lines = this.#lines.slice(-longestLog);
  }
}

const kinds: ReadonlySet<string> = new Set<RequestKind>([
  'kv',
  'txn',
  'session',
  'status',
  'agent',
  'catalog',
]);

function kindOf(method: string, target: string): RequestKind {
  const [path = '', query = ''] = target.split('?', 2);
  const kind = path.split('/')[2] ?? '';
  if (!path.startsWith('/v1/') || !isKind(kind)) return 'other';
  if (kind !== 'kv' || method !== 'GET') return kind;
  if (/(?:^|&)keys(?:[=&]|$)/.test(query)) return 'keys';
  return /(?:^|&)recurse(?:[=&]|$)/.test(query) ? 'recurse' : 'kv';
}

function isKind(kind: string): kind is RequestKind {
  return kinds.has(kind);
}
