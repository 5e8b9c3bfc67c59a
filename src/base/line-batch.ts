/** How long a line waits for others, in milliseconds: nobody who reads along notices. */
const waitMs = 20;
/** What a pipe takes in one piece, whoever else writes into it (POSIX: 4096 bytes on Linux), in characters. */
const mostCharacters = 4_000;

/**
 * Lines that are written together. A cycle logs each secret that it changes, and to write each line by itself costs more than to make
 * it.
 */
export class LineBatch {
  readonly #write: (lines: string) => void;
  readonly #flush = () => this.flush();
  #lines = '';
  #planned: NodeJS.Timeout | undefined;

  /** `write` gets one or more whole lines, without the last line feed. */
  constructor(write: (lines: string) => void) {
    this.#write = write;
    // A process that ends meanwhile still says what it did.
    process.on('exit', this.#flush);
  }

  add(line: string): void {
    if (this.#lines.length + line.length > mostCharacters) this.flush();
    this.#lines = this.#lines === '' ? line : `${this.#lines}\n${line}`;
    this.#planned ??= setTimeout(this.#flush, waitMs).unref();
  }

  /** Writes what waits now. */
  flush(): void {
    clearTimeout(this.#planned);
    this.#planned = undefined;
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#write(lines);
  }

  /** Writes what is left. The end of the process is of no interest any more. */
  close(): void {
    this.flush();
    process.off('exit', this.#flush);
  }
}
