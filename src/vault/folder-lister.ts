import { type Clock, systemClock } from '../base/clock.ts';
import { VsyncError } from '../base/errors.ts';
import type { CallScope, FolderListing, MountState } from '../cycle/ports.ts';
import { type Insight, insightOf } from '../sync/insight.ts';
import type { Mount } from '../sync/mount-path.ts';
import type { VaultClient } from './client.ts';
import { encodePath } from './encode-path.ts';
import { badAnswer, isForbidden, NotFound, vaultName } from './errors.ts';
import { isMetadata, notFoundReasons } from './kv.ts';

/**
 * Lists folders of KV v2 mounts, each mount in the way its server is best asked. Every failure fails the cycle: a partial list would look
 * like deletes (R3). Which way that is, is found out once for each mount, by asking and by the structure of the answer:
 *
 * * `detailed`: OpenBao from 2.3.1 on lists `detailed-metadata/`, keys and their metadata in one answer; with the right to do so,
 *   no key has to be read by itself.
 * * `paged`: OpenBao's plain list, page by page: a policy with `pagination_limit` cuts a list without `limit` silently.
 * * `plain`: Vault, which has no pages and warns of parameters it does not know.
 */
export class FolderLister {
  readonly #client: VaultClient;
  readonly #serverNowMs: () => number;
  readonly #clock: Clock;
  readonly #mounts = new Map<Mount, KnownMount>();

  constructor(client: VaultClient, serverNowMs: () => number, clock: Clock = systemClock) {
    this.#client = client;
    this.#serverNowMs = serverNowMs;
    this.#clock = clock;
  }

  /** A mount was looked at: what is known of one that was made anew under the same name is forgotten. */
  noteMount({ mount, id }: MountState): void {
    const known = this.#mounts.get(mount);
    if (known !== undefined && known.id !== id && known.id !== undefined) this.#mounts.delete(mount);
    this.#mounts.set(mount, { ...this.#mounts.get(mount), id });
  }

  /** Lists one folder: "" is the top, every other one ends in `/`. */
  async list(mount: Mount, folder: string, scope: CallScope): Promise<FolderListing> {
    const style = this.#styleOf(mount);
    if (style === undefined || style === 'detailed') {
      const detailed = await this.#detailed(mount, folder, scope);
      if (detailed !== undefined) {
        this.#learn(mount, 'detailed');
        return detailed;
      }
    }
    const about = `${mount}metadata/${folder}`;
    try {
      return split(await this.#names(mount, about, style, scope));
    } catch (error) {
      if (error instanceof NotFound && error.kind === 'empty') return { keys: [], folders: [] };
      throw listError(this.#client, about, error);
    }
  }

  /** The listing with metadata; `undefined` when it is refused, empty or makes no sense: then the plain list decides. */
  async #detailed(mount: Mount, folder: string, scope: CallScope): Promise<FolderListing | undefined> {
    const names: string[] = [];
    const insights = new Map<string, Insight | undefined>();
    const nowMs = this.#serverNowMs();
    try {
      for await (const page of this.#pages(`${mount}detailed-metadata/${folder}`, pageSize, scope)) {
        names.push(...page.names);
        for (const name of page.names) {
          // A folder's own entry repeats the metadata of a key of the same name.
          const metadata = name.endsWith('/') ? undefined : page.info?.[name];
          if (isMetadata(metadata)) insights.set(name, insightOf(metadata, nowMs));
        }
      }
    } catch (error) {
      scope.signal.throwIfAborted();
      if (!(error instanceof NotFound) && !(error instanceof VsyncError)) throw error;
      return undefined;
    }
    const told = names.some((name) => insights.has(name) || name.endsWith('/'));
    return told ? { ...split(names), insights } : undefined;
  }

  /** All names of a folder. Throws `NotFound` for one without any. */
  async #names(mount: Mount, about: string, style: Style | undefined, scope: CallScope): Promise<string[]> {
    if (style === 'plain') return (await this.#page(about, '', scope)).names;
    try {
      return await this.#pagedNames(mount, about, style, pageSize, scope);
    } catch (error) {
      // A policy may allow smaller pages only, and no `limit` larger than that; or nothing at all, which the second answer tells.
      if (!isForbidden(error)) throw error;
      return this.#pagedNames(mount, about, style, undefined, scope);
    }
  }

  async #pagedNames(
    mount: Mount,
    about: string,
    style: Style | undefined,
    limit: number | undefined,
    scope: CallScope,
  ): Promise<string[]> {
    const names: string[] = [];
    for await (const page of this.#pages(about, limit, scope)) {
      if (page.ignoresPaging) {
        if (style === undefined) this.#learn(mount, 'plain');
        // With a parameter it does not know, Vault answers 200 for an empty folder: only the plain question tells.
        return page.names.length > 0 ? page.names : (await this.#page(about, '', scope)).names;
      }
      names.push(...page.names);
    }
    if (style === undefined && limit !== undefined) this.#learn(mount, 'paged');
    return names;
  }

  /** Page after page, until one is not full. Without a `limit` the server decides how much that is, so until one is empty. */
  async *#pages(about: string, limit: number | undefined, scope: CallScope): AsyncGenerator<Page> {
    const size = limit === undefined ? '' : `&limit=${limit}`;
    let page = await this.#page(about, size, scope);
    yield page;
    while (!page.ignoresPaging && (limit === undefined || page.names.length >= limit)) {
      const last = page.names.at(-1) as string;
      try {
        page = await this.#page(about, `&after=${encodeURIComponent(last)}${size}`, scope);
      } catch (error) {
        if (error instanceof NotFound && error.kind === 'empty') return;
        throw error;
      }
      if (page.names.includes(last)) throw this.#badAnswer(about, 'a page repeats the one before it');
      yield page;
    }
  }

  async #page(about: string, query: string, scope: CallScope): Promise<Page> {
    const path = `/${encodePath(about.slice(0, -1))}/?list=true${query}`;
    const body = await this.#client.request({ method: 'GET', path, about, ...scope });
    const { data, warnings } = body as {
      data?: { keys?: unknown; key_info?: unknown } | null;
      warnings?: unknown;
    };
    const ignoresPaging = query !== '' && Array.isArray(warnings) && warnings.length > 0;
    const names = data?.keys ?? (ignoresPaging ? [] : undefined);
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
      throw this.#badAnswer(about, 'it has no list of keys');
    }
    const info = data?.key_info;
    return {
      names,
      ignoresPaging,
      info: typeof info === 'object' && info !== null ? (info as Page['info']) : undefined,
    };
  }

  #styleOf(mount: Mount): Style | undefined {
    const known = this.#mounts.get(mount);
    if (known?.style === undefined || this.#clock.monotonic() - (known.learntAt ?? 0) > styleKnownForMs)
      return undefined;
    return known.style;
  }

  #learn(mount: Mount, style: Style): void {
    const known = this.#mounts.get(mount);
    if (known?.style === style && style === this.#styleOf(mount)) return;
    this.#mounts.set(mount, { ...known, style, learntAt: this.#clock.monotonic() });
  }

  #badAnswer(path: string, why: string): VsyncError {
    const { side, address } = this.#client;
    return badAnswer({ side, address, method: 'LIST', path, writes: false }, why);
  }
}

type Style = 'detailed' | 'paged' | 'plain';

interface KnownMount {
  readonly id?: string;
  readonly style?: Style;
  readonly learntAt?: number;
}

/** Names of one answer, with the metadata of its keys where it has them. */
interface Page {
  readonly names: readonly string[] & string[];
  readonly info: Readonly<Record<string, unknown>> | undefined;
  /** The server warned of parameters it does not know: it has no pages, and this is all. */
  readonly ignoresPaging: boolean;
}

/** Names in one answer: some 460 bytes each with metadata. */
const pageSize = 500;
/** How long the way of a mount is taken as known: a server may be upgraded, a policy edited. */
const styleKnownForMs = 60 * 60_000;

function split(names: readonly string[]): FolderListing {
  return {
    keys: names.filter((name) => !name.endsWith('/')),
    folders: names.filter((name) => name.endsWith('/')),
  };
}

function listError(client: VaultClient, about: string, error: unknown): unknown {
  const where = { side: client.side, server: 'vault', address: client.address, path: about } as const;
  const note =
    'The scan is incomplete, so nothing was published: a partial list would look like deletes to every destination.';
  if (error instanceof NotFound) {
    return new VsyncError({
      ...where,
      code: 'VAULT_LIST_UNKNOWN',
      status: 404,
      message: `${vaultName(client)} gave no list of ${about} (404)`,
      why: notFoundReasons[error.kind],
      hint: `is the mount still there? vault secrets list; then ${client.side}.mounts`,
      note,
    });
  }
  if (isForbidden(error)) {
    return new VsyncError({
      ...where,
      code: 'VAULT_LIST_DENIED',
      status: 403,
      message: `${vaultName(client)} refused LIST on ${about} (403)`,
      why: 'the policies of the token give no "list" there',
      hint: `path "${about.split('metadata/')[0]}metadata/*" { capabilities = ["list","read"] }`,
      note,
    });
  }
  return error instanceof VsyncError && error.class === 'path' ? error.as('transient') : error;
}
