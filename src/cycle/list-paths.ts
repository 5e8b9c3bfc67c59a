import pLimit from 'p-limit';
import type { Insight } from '../sync/insight.ts';
import type { Mount } from '../sync/mount-path.ts';
import type { PathFilter } from '../sync/path-filter.ts';
import type { CallScope, FolderListing, OriginMetadata } from './ports.ts';

/** One secret that a listing named. */
export interface ListedKey {
  readonly mount: Mount;
  readonly key: string;
  /** What the listing told of it already; left out where it has to be read. */
  readonly known?: { readonly insight: Insight | undefined };
}

/**
 * Walks the folders of all mounts, several at once, and yields the keys of each as it is found: there is never a list of all of them.
 * Nothing more is listed while the consumer does not take what is there. Throws when a folder cannot be listed (R3).
 */
export async function* listPaths(
  vault: Pick<OriginMetadata, 'listFolder'>,
  mounts: readonly Mount[],
  options: { readonly concurrency: number; readonly filter: PathFilter; readonly scope: CallScope },
): AsyncGenerator<readonly ListedKey[], void, void> {
  const { filter, scope } = options;
  const limit = pLimit(options.concurrency);
  // Last in, first out: a tree is walked into its depth, so few folders are waiting at any time.
  const waiting = mounts
    .flatMap((mount) => filter.roots(mount).map((folder) => ({ mount, folder })))
    .reverse();
  const underWay = new Set<Promise<void>>();
  const listed: { mount: Mount; folder: string; listing: FolderListing }[] = [];
  let failure: { readonly error: unknown } | undefined;

  const start = ({ mount, folder }: { mount: Mount; folder: string }) => {
    const task = limit(() => vault.listFolder(mount, folder, scope)).then(
      (listing) => void listed.push({ mount, folder, listing }),
      (error: unknown) => {
        failure ??= { error };
      },
    );
    underWay.add(task);
    void task.then(() => underWay.delete(task));
  };

  while (true) {
    while (waiting.length > 0 && underWay.size < options.concurrency)
      start(waiting.pop() as (typeof waiting)[number]);
    if (failure !== undefined) throw failure.error;
    const next = listed.shift();
    if (next !== undefined) {
      const { mount, folder, listing } = next;
      for (const name of listing.folders) {
        if (filter.mayContain(mount, `${folder}${name}`)) waiting.push({ mount, folder: `${folder}${name}` });
      }
      const keys: ListedKey[] = [];
      for (const name of listing.keys) {
        const key = `${folder}${name}`;
        if (!filter.matches(mount, key)) continue;
        const told = listing.insights?.has(name) === true;
        keys.push(told ? { mount, key, known: { insight: listing.insights?.get(name) } } : { mount, key });
      }
      if (keys.length > 0) yield keys;
    } else if (underWay.size > 0) {
      await Promise.race(underWay);
    } else {
      return;
    }
  }
}
