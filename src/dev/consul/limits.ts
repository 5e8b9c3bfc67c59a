/**
 * How large a body may be.
 * May import: `answer`, types of `state`.
 */

import { Refusal } from './answer.ts';
import type { Call } from './state.ts';

/** The default of both `kv_max_value_size` and `txn_max_req_len`, in bytes. */
export const longestBody = 524_288;

/**
 * Throws the 413 Refusal for a body that announces more than the limit. `setting` is the name of the limit in Consul's configuration.
 * Only Content-Length is looked at: Consul stores a longer value that comes in chunks.
 */
export function refuseLongBody(call: Call, setting: string): void {
  const length = call.contentLength ?? 0;
  if (length > longestBody) throw tooLong(`Request body(${length} bytes) too large`, setting);
}

/** The 413 Refusal of a body above the limit. */
export function tooLong(what: string, setting: string): Refusal {
  const help = `https://www.consul.io/docs/agent/options.html#${setting}`;
  return new Refusal(413, `${what}, max size: ${longestBody} bytes. See ${help}.`);
}
