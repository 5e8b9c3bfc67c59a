/** Contenders of one comparison, by name. */
type Contenders = Readonly<Record<string, () => Promise<unknown>>>;

type ResultsOf<C extends Contenders> = { readonly [Name in keyof C]: Awaited<ReturnType<C[Name]>>[] };

/**
 * Runs contenders in turn, A B A B, so that what else the machine does hits all of them alike. One round before the measured ones warms
 * servers and disk caches up; `warmUps: 0` where they are warm already.
 */
export async function inTurn<C extends Contenders>(
  runs: number,
  contenders: C,
  { warmUps = 1 }: { readonly warmUps?: 0 | 1 } = {},
): Promise<ResultsOf<C>> {
  const names = Object.keys(contenders);
  const results: Record<string, unknown[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 1 - warmUps; round <= runs; round += 1) {
    for (const name of names) {
      const result = await contenders[name]?.();
      if (round > 0) results[name]?.push(result);
    }
  }
  return results as ResultsOf<C>;
}
