/**
 * True if all characters are what Go's `unicode.IsPrint` calls printable: letters, marks, numbers, punctuation, symbols and the
 * ASCII space. Vault answers 400 with an empty body to a path with any other, before anything else.
 */
export function isPrintable(text: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u.test(text);
}
