import type { TokenKind } from './measure.ts';
import type { Options } from './options.ts';
import type { OtherProgram } from './other-program.ts';
import type { Program } from './program.ts';
import type { Site, Tokens } from './site.ts';

/** What every row is measured with. */
export interface Bench {
  readonly options: Options;
  /** Temporary folder of this run, with the bundled children. */
  readonly dir: string;
  readonly program: Program;
  readonly other: OtherProgram | undefined;
  /** Says on standard error what is going on. */
  readonly say: (text: string) => void;
}

/** On real servers, with one kind of token. */
export interface RealBench extends Bench {
  readonly site: Site;
  readonly tokenKind: TokenKind;
  readonly tokens: Tokens;
}
