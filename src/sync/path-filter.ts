import picomatch from 'picomatch';
import { locate, type Mount } from './mount-path.ts';

/**
 * Which paths take part: globs (`*`, `**`, `?`, `[a-z]`, `{a,b}`) on the logical path `<mount><key>`, without `data/`.
 * Pure.
 */
export interface PathFilter {
  /** Whether a secret takes part: some `include` matches (none given: all do), and no `exclude` does. */
  matches(mount: Mount, key: string): boolean;
  /**
   * The folders where a walk of the mount has to start ("" = its top, others end in `/`); none when nothing on it takes part.
   * With patterns that begin with a fixed path the top need not be listed, so a token for that part alone is enough.
   */
  roots(mount: Mount): string[];
  /** Whether anything below a folder may take part: else it need not be listed. */
  mayContain(mount: Mount, folder: string): boolean;
  /** The same as `matches` for a whole data path; one that lies on none of `mounts` takes part. */
  matchesPath(path: string, mounts: Iterable<Mount>): boolean;
  /** True when there is no pattern at all. */
  readonly open: boolean;
}

export function pathFilter(include: readonly string[], exclude: readonly string[]): PathFilter {
  const options = { dot: true };
  const included = include.length === 0 ? () => true : picomatch([...include], options);
  const excluded = exclude.length === 0 ? () => false : picomatch([...exclude], options);
  const bases = include.map(fixedFolder);
  const matches = (mount: Mount, key: string) => included(`${mount}${key}`) && !excluded(`${mount}${key}`);
  return {
    open: include.length === 0 && exclude.length === 0,
    matches,
    roots: (mount) => {
      if (bases.length === 0) return [''];
      const roots = bases
        .filter((base) => base.startsWith(mount) || mount.startsWith(base))
        .map((base) => base.slice(mount.length));
      return [...new Set(roots)].filter(
        (root, _, all) => !all.some((other) => other !== root && root.startsWith(other)),
      );
    },
    mayContain: (mount, folder) => {
      const path = `${mount}${folder}`;
      return bases.length === 0 || bases.some((base) => path.startsWith(base) || base.startsWith(path));
    },
    matchesPath: (path, mounts) => {
      const location = locate(path, mounts);
      return location === undefined || matches(location.mount, location.key);
    },
  };
}

/** The folder that a pattern cannot leave, with its trailing slash; "" for a pattern that begins with a wildcard. */
function fixedFolder(glob: string): string {
  const { base, isGlob } = picomatch.scan(glob);
  const folder = isGlob ? base : base.slice(0, base.lastIndexOf('/') + 1);
  return folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
}
