import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** What a server was asked, as it came over the wire. */
export interface HostileRequest {
  readonly method: string;
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a server does with a request: anything that can be done with a socket. */
export type Behaviour = (socket: Socket, request: HostileRequest) => void;

/** A server on loopback that answers as badly as a test wants. It does not know what it is asked for. */
export class HostileServer {
  readonly address: string;
  readonly requests: HostileRequest[] = [];
  connections = 0;
  behave: Behaviour;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watchers = new Set<() => void>();

  private constructor(server: Server, behave: Behaviour) {
    this.#server = server;
    this.behave = behave;
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    this.address = `http://127.0.0.1:${bound.port}`;
    server.on('connection', (socket) => this.#accept(socket));
  }

  static async start(behave: Behaviour = answer(200, '{}')): Promise<HostileServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HostileServer(server, behave);
  }

  /** Resolves once this many requests have come in whole. */
  async untilRequests(count = 1): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.#watchers.add(resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    let received = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let parsed = parse(received); parsed !== undefined; parsed = parse(received)) {
        received = received.subarray(parsed.bytes);
        this.requests.push(parsed.request);
        for (const watcher of this.#watchers) watcher();
        this.#watchers.clear();
        this.behave(socket, parsed.request);
      }
    });
  }
}

function parse(received: Buffer): { readonly request: HostileRequest; readonly bytes: number } | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [first = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const bytes = end + 4 + Number(headers['content-length'] ?? 0);
  if (received.length < bytes) return undefined;
  const [method = '', target = ''] = first.split(' ');
  return { request: { method, target, headers, body: received.subarray(end + 4, bytes).toString() }, bytes };
}

/** A whole answer. */
export function answer(
  status: number,
  body = '',
  headers: Readonly<Record<string, string>> = { 'Content-Type': 'application/json' },
): Behaviour {
  return (socket) =>
    socket.write(head(status, { 'Content-Length': `${Buffer.byteLength(body)}`, ...headers }) + body);
}

/** Status line and headers. */
export function head(status: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join('')}\r\n`;
}

/** Takes the request and never answers. */
export const stall: Behaviour = () => {};

/** Begins an answer and leaves it there: half of the headers. */
export const stallInHeaders: Behaviour = (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Type: appl');

/** Announces 1000 bytes, sends these, and leaves it there. */
export function stallInBody(bytes = '{"data":'): Behaviour {
  return (socket) =>
    socket.write(head(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' }) + bytes);
}

/** Announces 1000 bytes, sends these, and closes the connection. */
export function cutInBody(bytes = '{"data":'): Behaviour {
  return (socket) =>
    socket.end(head(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' }) + bytes);
}

/** Cuts a chunked answer before its last chunk. */
export const cutInChunks: Behaviour = (socket) =>
  socket.end(
    `${head(200, { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' })}9\r\n{"data":1\r\n`,
  );

export const reset: Behaviour = (socket) => socket.resetAndDestroy();
export const hangUp: Behaviour = (socket) => socket.end();
