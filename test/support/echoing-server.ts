import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A server, or a proxy before one, that gives back in its failures all that it was told, and all that the server behind it answered:
 * tokens in headers, credentials and values in bodies.
 */
export class EchoingServer {
  readonly address: string;
  /** How many requests each kind of failure answered. */
  readonly echoed = new Map<string, number>();
  /** Which failure a request gets; `undefined` = it is passed on. */
  choose: (request: string) => EchoName | undefined = () => undefined;
  readonly #server: ReturnType<typeof createServer>;
  readonly #target: string;

  private constructor(server: ReturnType<typeof createServer>, target: string) {
    this.#server = server;
    this.#target = target;
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (incoming, outgoing) => void this.#answer(incoming, outgoing));
  }

  static async start(target: string): Promise<EchoingServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new EchoingServer(server, target);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming;
    try {
      const body = Buffer.concat(await incoming.toArray());
      const { host, connection, 'transfer-encoding': _, 'content-length': __, ...passed } = headers;
      const real = await fetch(`${this.#target}${url}`, {
        method,
        headers: passed as Record<string, string>,
        ...(body.length > 0 && { body }),
        redirect: 'manual',
      });
      const answer = await real.text();
      const name = this.choose(`${method} ${decodeURIComponent(url)}`);
      if (name === undefined) {
        const kept = [...real.headers].filter(
          ([each]) => !/^(content-length|transfer-encoding|connection)$/.test(each),
        );
        outgoing.writeHead(real.status, Object.fromEntries(kept)).end(answer);
        return;
      }
      this.echoed.set(name, (this.echoed.get(name) ?? 0) + 1);
      echoes[name](outgoing, `${method} ${url} ${JSON.stringify(headers)} ${body} ${answer}`, answer);
    } catch {
      outgoing.destroy();
    }
  }
}

export type EchoName = keyof typeof echoes;

type Echo = (outgoing: ServerResponse, told: string, answer: string) => void;

/** Of a text, what a header may hold. */
function forHeader(text: string): string {
  return encodeURIComponent(text).slice(0, 4_000);
}

function json(status: number, body: unknown): Echo {
  return (outgoing, told) =>
    outgoing
      .writeHead(status, { 'Content-Type': 'application/json' })
      .end(JSON.stringify(body).replaceAll('"TOLD"', () => JSON.stringify(told)));
}

/** Each way to fail that carries what was told. */
const echoes = {
  'a 400 with errors': json(400, { errors: ['TOLD'] }),
  'a 403 with errors': json(403, { errors: ['TOLD', 'permission denied'] }),
  'a 404 with errors': json(404, { errors: ['TOLD'] }),
  'a 405 with other fields': json(405, { error: 'TOLD', message: 'TOLD', data: { error: 'TOLD' } }),
  'a 412 as a text': (outgoing, told) => outgoing.writeHead(412).end(told),
  'a 413 as a page': (outgoing, told) =>
    outgoing.writeHead(413, { 'Content-Type': 'text/html' }).end(`<html><body>${told}</body></html>`),
  'a 429 with a wait': (outgoing, told) =>
    outgoing.writeHead(429, { 'Retry-After': forHeader(told) }).end(told),
  'a 500 with errors': json(500, { errors: ['TOLD'] }),
  'a 500 as a text': (outgoing, told) => outgoing.writeHead(500).end(told),
  'a 503 with a reason': (outgoing, told) => outgoing.writeHead(503, forHeader(told)).end(told),
  'a redirect': (outgoing, told) =>
    outgoing
      .writeHead(307, { Location: `http://u:${forHeader(told)}@127.0.0.1:1/${forHeader(told)}` })
      .end(told),
  'not JSON': (outgoing, told) =>
    outgoing.writeHead(200, { 'Content-Type': 'application/json' }).end(`{"data":${told}`),
  'more than JSON': (outgoing, _told, answer) =>
    outgoing.writeHead(200, { 'Content-Type': 'application/json' }).end(`${answer}${answer}`),
  'other JSON': json(200, { data: 'TOLD', auth: 'TOLD', warnings: ['TOLD'], errors: ['TOLD'] }),
  'JSON of another shape': json(200, {
    data: { data: 'TOLD', metadata: 'TOLD', keys: 'TOLD', options: 'TOLD' },
  }),
  'a cut answer': (outgoing, _told, answer) => {
    outgoing.writeHead(200, { 'Content-Length': `${Buffer.byteLength(answer) + 100}` }).write(answer);
    setImmediate(() => outgoing.destroy());
  },
  'not HTTP': (outgoing, told) => void outgoing.socket?.end(`${told}\r\n\r\n${told}`),
  'a header that is none': (outgoing, told) =>
    void outgoing.socket?.end(`HTTP/1.1 200 OK\r\n${told.slice(0, 200)}\r\n\r\n${told}`),
} as const satisfies Record<string, Echo>;

export const echoNames = Object.keys(echoes) as EchoName[];
