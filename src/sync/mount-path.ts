import { VsyncError } from '../base/errors.ts';

/**
 * Mounts and paths as values. The identity of a secret everywhere is its data path `<mount>data/<key>`.
 * Pure: no I/O. Names are Vault's: a mount ends in `/`, a key has no leading or trailing `/`.
 */

declare const mountBrand: unique symbol;
declare const dataPathBrand: unique symbol;

/** A KV v2 secrets engine, written with its trailing slash: `secret/`, `team/a/kv/`. */
export type Mount = string & { readonly [mountBrand]: true };

/** `<mount>data/<key>`, unencoded. */
export type DataPath = string & { readonly [dataPathBrand]: true };

/** Where a secret is: the two parts of its data path. */
export interface Location {
  readonly mount: Mount;
  readonly key: string;
}

/** A mount from text. Outer slashes are repaired; what no repair makes a mount is refused with `CONFIG_BAD_VALUE`. */
export function parseMount(text: string): Mount {
  const name = text.replace(/^\/+|\/+$/g, '');
  const problem = segmentsProblem(name);
  if (problem !== undefined) {
    throw new VsyncError({
      code: 'CONFIG_BAD_VALUE',
      message: `${JSON.stringify(text)} is not a mount: ${problem}`,
      hint: 'write the path of a KV v2 secrets engine with its trailing slash, e.g. "secret/"',
      path: text,
    });
  }
  return `${name}/` as Mount;
}

/** The data path of a key on a mount. */
export function dataPath(mount: Mount, key: string): DataPath {
  return `${mount}data/${key}` as DataPath;
}

/**
 * The parts of a data path, given the mounts that may hold it; `undefined` when it lies on none of them.
 * Mounts do not nest in Vault, so at most one real mount fits; of several configured ones the longest is taken.
 */
export function locate(path: string, mounts: Iterable<Mount>): Location | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    if (path.startsWith(`${mount}data/`) && mount.length > (best?.length ?? 0)) best = mount;
  }
  if (best === undefined) return undefined;
  const key = path.slice(best.length + 'data/'.length);
  return key === '' ? undefined : { mount: best, key };
}

/** Every place where a path could be split into mount and key, the shortest mount first: `a/data/b/data/c` has two. */
export function possibleLocations(path: string): Location[] {
  const found: Location[] = [];
  for (let at = path.indexOf('/data/'); at > 0; at = path.indexOf('/data/', at + 1)) {
    const key = path.slice(at + '/data/'.length);
    if (key !== '') found.push({ mount: path.slice(0, at + 1) as Mount, key });
  }
  return found;
}

/**
 * Why a key, folder or mount cannot be named in a request without naming another one; `undefined` if it can.
 * Empty, `.` and `..` segments are redirected or resolved to another path on the way, a trailing slash is cut off
 * (Vault: `DELETE metadata/foo/` deletes the key `foo`), and a lone surrogate has no UTF-8 form.
 */
export function segmentsProblem(path: string): string | undefined {
  if (path === '') return 'it is empty';
  for (const segment of path.split('/')) {
    if (segment === '') return 'it has an empty part between slashes';
    if (segment === '.' || segment === '..')
      return `it has the part "${segment}", which servers resolve to another path`;
  }
  if (!path.isWellFormed()) return 'it is not valid Unicode (a lone surrogate)';
  return undefined;
}
