import packageJson from '../package.json' with { type: 'json' };

/** Set by `scripts/build.mjs`; nothing defines it where the sources are run as they are. */
declare const VSYNC_COMMIT: string | undefined;

/** The version of this vsync, from `package.json`. */
export const version: string = packageJson.version;

/** The commit it was built from, with `-dirty` when files differed from it; `undefined` = not known. */
export const commit: string | undefined =
  typeof VSYNC_COMMIT === 'undefined' || VSYNC_COMMIT === '' ? undefined : VSYNC_COMMIT;
