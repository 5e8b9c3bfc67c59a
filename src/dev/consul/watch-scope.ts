/**
 * Which writes wake a watch on something that does not exist.
 * May import: `sorted-map`.
 */

import type { SortedMap } from './sorted-map.ts';

/**
 * The prefix whose writes wake a blocking query on `missing` (a key, or a prefix without keys); `''` is any write.
 *
 * Consul keeps its keys in a radix tree. A watch on an existing key hangs on its leaf and is precise. One on a missing key hangs on
 * the last node that the search reached, so every write in that node's part of the tree wakes it, and so does a new key that splits
 * the edge to it. Seen with keys `aa/1`, `bb/1`: a watch on `aa/9` wakes for `aa/3` and not for `bb/3`; one on `zz` wakes for all.
 */
export function watchScope(keys: SortedMap<unknown>, missing: string): string {
  const at = keys.lowerBound(missing);
  const reached = Math.max(commonLength(keys, at - 1, missing), commonLength(keys, at, missing));
  if (reached === 0) return '';
  const node = keys.range(missing.slice(0, reached));
  const parent = Math.max(commonLength(keys, node.from - 1, missing), commonLength(keys, node.to, missing));
  return missing.slice(0, parent + 1);
}

/** How many first bytes the key at `position` shares with `text`; 0 outside of the map. */
function commonLength(keys: SortedMap<unknown>, position: number, text: string): number {
  if (position < 0 || position >= keys.size) return 0;
  const key = keys.keyAt(position);
  let length = 0;
  while (length < key.length && length < text.length && key[length] === text[length]) length += 1;
  return length;
}
