/** Longer words are no typing errors, and comparing them would cost time. */
const maxLength = 80;

/**
 * The known names that `word` was most likely meant to be, the nearest first, at most 3: names that end in it after a dot, else names
 * within a Levenshtein distance of 2 or 40 % of the length, compared in lower case.
 */
export function didYouMean(word: string, known: Iterable<string>): string[] {
  if (word === '' || word.length > maxLength) return [];
  const wanted = word.toLowerCase();
  const names = [...known];
  const endsInIt = names.filter((name) => name.toLowerCase().endsWith(`.${wanted}`));
  if (endsInIt.length > 0) return endsInIt.slice(0, 3);

  const limit = Math.min(Math.max(2, Math.floor(wanted.length * 0.4)), wanted.length - 1);
  const near = names
    .map((name) => ({ name, distance: levenshtein(wanted, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  const best = near[0]?.distance ?? 0;
  return near
    .filter(({ distance }) => distance <= best + 1)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** `did you mean a, b or c?`, or `undefined` without a suggestion. */
export function didYouMeanText(word: string, known: Iterable<string>): string | undefined {
  const names = didYouMean(word, known);
  if (names.length === 0) return undefined;
  const last = names.at(-1);
  return `did you mean ${names.length === 1 ? last : `${names.slice(0, -1).join(', ')} or ${last}`}?`;
}

function levenshtein(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
