import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { CannedAnswer } from '../fault-list.ts';
import type { Snapshot } from './core.ts';
import { type FaultAction, type FaultRequest, Faults } from './faults.ts';
import { FrontConnection, methodHeader } from './method-front.ts';
import { readBody } from './request-body.ts';
import { answerRequest, type HandlerParts } from './request-handler.ts';
import { kindOf, RequestLog } from './request-log.ts';
import { parseQuery, parseTarget, type Target } from './request-target.ts';
import { parseGoBool } from './weak-decode.ts';

/** The HTTP side of the server: connections, the request log, faults, and sending answers. */
export class HttpFront {
  readonly requests = new RequestLog();
  readonly faults = new Faults();
  readonly #parts: HandlerParts;
  readonly #http: Server;
  readonly #connections = new Set<FrontConnection>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(parts: HandlerParts) {
    this.#parts = parts;
    const noTimeouts = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
    this.#http = createServer({ ...noTimeouts, maxHeaderSize: 1024 * 1024 }, (request, response) => {
      // Rejects only when the client goes away in mid-request: nobody is left to answer.
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  /** Takes over a connection of the listening socket. */
  accept(socket: Socket): void {
    const connection = new FrontConnection(socket);
    this.#connections.add(connection);
    connection.once('close', () => this.#connections.delete(connection));
    this.#http.emit('connection', connection);
  }

  /** Cuts all connections and forgets all delayed answers. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const connection of this.#connections) connection.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const spoken = request.headers[methodHeader];
    const verb = typeof spoken === 'string' ? spoken : (request.method ?? '');
    const target = parseTarget(request.url ?? '');
    if (target === undefined) return this.#send(response, malformed);
    const action = this.faults.take(this.#logged(verb, target));
    switch (action?.kind) {
      case undefined:
        break;
      case 'hang':
        return;
      case 'reset':
        return resetConnection(request);
      case 'answer':
        request.resume();
        return this.#send(response, action.answer);
      case 'delay':
        await this.#wait(action.ms);
    }
    const answer = await this.#answer(
      request,
      verb,
      target,
      action?.kind === 'stale' ? action.snapshot : undefined,
    );
    this.#deliver(request, response, action, answer);
  }

  #logged(verb: string, target: Target): FaultRequest {
    const path = target.path.replace(/^\/v1\//, '');
    const query = parseQuery(target.query);
    const asks = (name: string) => verb === 'GET' && parseGoBool(String(query.get(name) ?? '')) === true;
    const method = verb === 'POST' ? 'PUT' : asks('list') ? 'LIST' : asks('scan') ? 'SCAN' : verb;
    this.requests.add(verb, target.raw, kindOf(method, path, this.#parts.core.mounts.match(path)));
    return { method, path, target: target.raw };
  }

  async #answer(
    request: IncomingMessage,
    verb: string,
    target: Target,
    snapshot?: Snapshot,
  ): Promise<CannedAnswer> {
    const hasBody = verb === 'POST' || verb === 'PUT' || verb === 'PATCH';
    const body = hasBody ? await readBody(request) : Buffer.alloc(0);
    return answerRequest(this.#parts, { verb, target, headers: request.headers, body }, snapshot);
  }

  #deliver(
    request: IncomingMessage,
    response: ServerResponse,
    action: FaultAction | undefined,
    answer: CannedAnswer,
  ): void {
    if (action?.kind === 'dropReply') request.socket.destroy();
    else if (action?.kind === 'cutAfterBytes') this.#sendPart(response, answer, action.bytes);
    else this.#send(response, action?.kind === 'answerAfterEffect' ? action.answer : answer);
  }

  #send(response: ServerResponse, answer: CannedAnswer): void {
    this.#writeHead(response, answer);
    // As text, not bytes: Node then writes head and body at once.
    response.end(answer.body ?? '');
  }

  #sendPart(response: ServerResponse, answer: CannedAnswer, bytes: number): void {
    this.#writeHead(response, answer);
    const part = Buffer.from(answer.body ?? '').subarray(0, bytes);
    response.write(part, () => response.destroy());
  }

  #writeHead(response: ServerResponse, { status, headers, body = '' }: CannedAnswer): void {
    response.sendDate = false;
    response.writeHead(status, {
      ...headers,
      'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
      Date: new Date(Number(this.#parts.core.clock() / 1_000_000n)).toUTCString(),
      ...(status !== 204 && { 'Content-Length': `${Buffer.byteLength(body)}` }),
    });
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.add(timer);
    });
  }
}

/** Go's answer to a target that it cannot read. */
const malformed: CannedAnswer = {
  status: 400,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' },
  body: '400 Bad Request',
};

function resetConnection(request: IncomingMessage): void {
  const connection: unknown = request.socket;
  if (connection instanceof FrontConnection) connection.socket.resetAndDestroy();
}
