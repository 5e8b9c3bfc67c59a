/** Line and column in a file, both from 1; the column counts UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where the value of a key comes from. */
export type Source =
  | { readonly kind: 'flag'; readonly name: string }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'file'; readonly file: string; readonly at?: Position }
  /** The contents of a file that a `*_file` key, a variable or a flag names. */
  | { readonly kind: 'secret-file'; readonly file: string; readonly via: Source }
  | { readonly kind: 'default' };

/** A source as problems and `config show` print it: `flag --tick`, `env VSYNC_NAME`, `dest.json:12:5`, `default`. */
export function placeOf(source: Source): string {
  switch (source.kind) {
    case 'flag':
      return `flag ${source.name}`;
    case 'env':
      return `env ${source.name}`;
    case 'file': {
      const name = source.file === '-' ? 'stdin' : source.file;
      return source.at === undefined ? name : `${name}:${source.at.line}:${source.at.column}`;
    }
    case 'secret-file':
      return `${source.file} (named by ${placeOf(source.via)})`;
    case 'default':
      return 'default';
  }
}
