import { VsyncError } from '../base/errors.ts';
import { segmentsProblem } from '../sync/mount-path.ts';

/**
 * A path as it goes into a URL: each segment percent-encoded, so that `#`, `?`, `%`, `\` and spaces stay part of the name.
 * Throws `PATH_NOT_ADDRESSABLE` for what the server or a URL parser would resolve to another path; nothing is sent then.
 */
export function encodePath(path: string): string {
  if (plainPath.test(path)) return path;
  const problem = segmentsProblem(path);
  if (problem !== undefined) {
    throw new VsyncError({
      code: 'PATH_NOT_ADDRESSABLE',
      message: `${JSON.stringify(path)} cannot be named in a request: ${problem}`,
      hint: 'rename the secret at the origin; until then it is left as it is at every destination',
      path,
    });
  }
  return path.split('/').map(encodeURIComponent).join('/');
}

/** Nearly every path: parts of letters, digits, `-`, `_`, `~` and `.`, none of which begins with a `.`. It goes into a URL as it is. */
const plainPath = /^[\w~-][\w~.-]*(?:\/[\w~-][\w~.-]*)*$/;
