import { isDeepStrictEqual } from 'node:util';
import { Secret } from '../base/secret.ts';

/**
 * The value of one secret version: the JSON text exactly as the origin gave it, so that nothing is lost on the way to the
 * destination (big integers, `1.0`, the order of keys). It is never parsed but to compare two of them.
 */
export class SecretValue extends Secret {
  /** Not even the beginning of a hash: a value can be short enough to be found by it. */
  override fingerprint(): string {
    return this.toString();
  }

  /**
   * Whether two values say the same. KV v2 reads pass through float64 on the server, so numbers are compared as such; texts
   * that differ only in spelling (`1e3`, `1000`) are equal.
   */
  sameAs(other: SecretValue): boolean {
    const [a, b] = [this.reveal(), other.reveal()];
    return a === b || isDeepStrictEqual(JSON.parse(a), JSON.parse(b));
  }
}
