/**
 * The parsers of expressions, globs and cron: loaded when a configuration has one, since together they take a fifth of a start.
 * `parsed-values.ts` reads values synchronously, so what they need is loaded before (`load.ts`).
 */

const loaders = {
  cron: () => import('croner').then(({ Cron }) => Cron),
  glob: () => import('../sync/path-filter.ts').then(({ pathFilter }) => pathFilter),
  transform: () => import('../sync/transform.ts').then(({ compileTransform }) => compileTransform),
} as const;

export type Grammar = keyof typeof loaders;

type Parsers = { readonly [G in Grammar]: Awaited<ReturnType<(typeof loaders)[G]>> };

const loaded: { -readonly [G in Grammar]?: Parsers[G] } = {};

/** Loads what is needed and not there yet. */
export async function loadGrammars(needed: Iterable<Grammar>): Promise<void> {
  await Promise.all([...new Set(needed)].map(load));
}

async function load<G extends Grammar>(grammar: G): Promise<void> {
  loaded[grammar] ??= (await loaders[grammar]()) as Parsers[G];
}

/** A parser that was loaded. Throws for one that was not, which is a defect of the caller. */
export function parserOf<G extends Grammar>(grammar: G): Parsers[G] {
  const parser: Parsers[G] | undefined = loaded[grammar];
  if (parser === undefined) throw new Error(`the grammar of ${grammar} is not loaded`);
  return parser;
}
