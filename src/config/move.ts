/** One change of `config migrate`: an old key, and the places its value goes to; none = it is removed. Paths are keys as written. */
export interface Move {
  readonly from: readonly string[];
  readonly to: readonly (readonly string[])[];
  readonly describe: string;
}

/** What the moves made of a text. */
export interface Edited {
  readonly text: string;
  readonly moved: readonly Move[];
  readonly skipped: readonly Move[];
}

/** The new name of a key that is only renamed where it stands; `undefined` for every other move. */
export function renameOf({ from, to }: Move): string | undefined {
  const [target] = to;
  if (to.length !== 1 || target === undefined || target.length !== from.length) return undefined;
  return from.slice(0, -1).every((name, i) => name === target[i]) ? target.at(-1) : undefined;
}
