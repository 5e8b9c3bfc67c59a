import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * Lets Node's HTTP server accept the verbs LIST and SCAN. Its parser answers 400 to any verb that it does not know, so each
 * connection goes through a stream that finds the request heads in it and replaces unknown verbs by REPORT, with the real verb in a
 * header. Bodies pass untouched; their end is found by Content-Length or by the chunk sizes.
 */

/** Header that carries a verb which Node's parser does not know. */
export const methodHeader = 'dev-vault-method';

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']);
const maxHeadBytes = 1024 * 1024;
const headEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');

/** What the next bytes of a connection are. `opaque` is for what no HTTP parser would take. */
type Expecting = 'head' | 'body' | 'chunk-size' | 'trailers' | 'opaque';

/** Rewrites the heads of one connection; fed with what the client sends, it returns what the HTTP server is to see. */
export class HeadRewriter {
  #expecting: Expecting = 'head';
  /** Bytes that do not yet hold a whole head or line. */
  #held: Buffer = Buffer.alloc(0);
  /** Bytes of body or chunk still to come. */
  #left = 0;
  #isChunked = false;

  rewrite(chunk: Buffer): Buffer {
    const out: Buffer[] = [];
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    while (rest.length > 0) {
      const taken = this.#step(rest, out);
      if (taken === 0) {
        this.#held = rest;
        break;
      }
      rest = rest.subarray(taken);
    }
    return Buffer.concat(out);
  }

  /** Handles one piece at the start of `rest` and returns its length, 0 if more bytes are needed. */
  #step(rest: Buffer, out: Buffer[]): number {
    switch (this.#expecting) {
      case 'head':
        return this.#head(rest, out);
      case 'body':
        return this.#body(rest, out);
      case 'chunk-size':
        return this.#line(rest, out, (line) => this.#chunkSize(line));
      case 'trailers':
        return this.#line(rest, out, (line) => {
          if (line === '') this.#expecting = 'head';
        });
      case 'opaque':
        out.push(rest);
        return rest.length;
    }
  }

  #head(rest: Buffer, out: Buffer[]): number {
    const end = rest.indexOf(headEnd);
    if (end < 0) {
      if (rest.length < maxHeadBytes) return 0;
      this.#expecting = 'opaque';
      return this.#step(rest, out);
    }
    const head = rest.toString('latin1', 0, end + headEnd.length);
    this.#expectBody(head);
    out.push(Buffer.from(withKnownMethod(head), 'latin1'));
    return end + headEnd.length;
  }

  #expectBody(head: string): void {
    this.#isChunked = /\r\ntransfer-encoding:[^\r]*chunked/i.test(head);
    this.#left = Number(/\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1] ?? 0);
    this.#expecting = this.#isChunked ? 'chunk-size' : this.#left > 0 ? 'body' : 'head';
  }

  #body(rest: Buffer, out: Buffer[]): number {
    const taken = rest.subarray(0, this.#left);
    out.push(taken);
    this.#left -= taken.length;
    if (this.#left === 0) this.#expecting = this.#isChunked ? 'chunk-size' : 'head';
    return taken.length;
  }

  #line(rest: Buffer, out: Buffer[], apply: (line: string) => void): number {
    const end = rest.indexOf(lineEnd);
    if (end < 0) return 0;
    out.push(rest.subarray(0, end + lineEnd.length));
    apply(rest.toString('latin1', 0, end));
    return end + lineEnd.length;
  }

  #chunkSize(line: string): void {
    const size = Number.parseInt(line, 16);
    if (Number.isNaN(size)) this.#expecting = 'opaque';
    else if (size === 0) this.#expecting = 'trailers';
    else {
      this.#left = size + lineEnd.length;
      this.#expecting = 'body';
    }
  }
}

/** The head with a verb that Node's parser knows, and with `%XX` for bytes in the target that it would refuse and Go takes. */
function withKnownMethod(head: string): string {
  const match = /^(?:\r\n)*([A-Za-z-]+) ([^\r]*)\r\n/.exec(head);
  if (match === null) return head;
  const [requestLine, method = '', rest = ''] = match;
  const target = rest.replaceAll(/[\x80-\xff]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  const others = head.slice(requestLine.length);
  if (knownMethods.has(method)) return `${method} ${target}\r\n${others}`;
  return `REPORT ${target}\r\n${methodHeader}: ${method}\r\n${others}`;
}

/** One client connection as the HTTP server sees it. */
export class FrontConnection extends Duplex {
  readonly socket: Socket;
  readonly #rewriter = new HeadRewriter();

  constructor(socket: Socket) {
    super();
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      const rewritten = this.#rewriter.rewrite(chunk);
      if (rewritten.length > 0 && !this.push(rewritten)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('close', () => this.destroy());
    // A client may reset the connection at any time; 'close' follows.
    socket.on('error', () => {});
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }
}
