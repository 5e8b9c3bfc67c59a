import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';

/**
 * An HTTP proxy that stands between vsync and one real server and does to chosen requests what networks and servers do:
 * late, cut, reset and lost answers, and answers that are not what was asked for. Everything else passes unchanged.
 */

interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type FaultAction =
  /** Passes the request on after this time. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Passes the request on as soon as this is resolved. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** The same, also when the client has given up meanwhile: the server does it late. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Takes the request and never answers; the server does not see it. */
  | { readonly kind: 'blackHole' }
  /** Resets the connection; the server does not see the request. */
  | { readonly kind: 'reset' }
  /** Passes the answer's head and so many bytes of its body, then cuts the connection. */
  | { readonly kind: 'cutAfter'; readonly bytes: number }
  /** The server does what was asked, and its answer is lost: with a reset, or (`silently`) never to come. */
  | { readonly kind: 'dropReply'; readonly silently?: boolean }
  /** The server does what was asked, and this is said in place of its answer. */
  | ({ readonly kind: 'answerAfterEffect' } & Answer)
  /** Points to the same path at another server, as a standby does (307). */
  | { readonly kind: 'redirect'; readonly to: string }
  /** Answers in the server's place. */
  | ({ readonly kind: 'answer' } & Answer);

export interface FaultRule {
  readonly method?: string;
  /** On the path with its query, as sent. */
  readonly path: RegExp;
  /** On the body, as sent. */
  readonly body?: RegExp | ((body: string) => boolean);
  /** How many matching requests pass unharmed first. */
  readonly skip?: number;
  /** How many are hit; default all. */
  readonly times?: number;
  /** Called at each hit, before anything is done. */
  readonly onHit?: () => void;
  readonly action: FaultAction;
}

/** One request that came. Times are those of `performance.now()`. */
export interface SeenRequest {
  readonly method: string;
  /** Path with query, as sent. */
  readonly path: string;
  readonly token: string | undefined;
  readonly at: number;
  /** When its answer was out, or its connection gone; `undefined` while it is under way. */
  readonly endedAt: number | undefined;
  /** The status that the client was given; `undefined` when it was given none. */
  readonly status: number | undefined;
}

export interface FaultProxy {
  /** To be given to vsync in the server's place. */
  readonly address: string;
  /** `METHOD path` of everything that came, in order. */
  readonly requests: readonly string[];
  /** The same with all that is known of it. Not emptied by `clear`. */
  readonly seen: readonly SeenRequest[];
  /** Adds a rule; the first that matches decides. Returns how often it has hit. */
  add(rule: FaultRule): { readonly hits: () => number };
  /** Called for each request as it comes, before anything is done. */
  onRequest(listener: (request: SeenRequest) => void): void;
  /** Called when the server has answered, before the client learns of it. */
  onReply(listener: (request: Pick<SeenRequest, 'method' | 'path'>) => void): void;
  /** From now on everything passes; the list of requests is emptied. */
  clear(): void;
  /** The network is gone: connections are reset, new ones refused; and back, under the same address. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** What the servers really say; bodies as the references have them. */
export const answers = {
  forbidden: {
    kind: 'answer',
    status: 403,
    body: '{"errors":["1 error occurred:\\n\\t* permission denied\\n\\n"]}\n',
  },
  emptyFolder: { kind: 'answer', status: 404, body: '{"errors":[]}\n' },
  notFoundWithoutBody: { kind: 'answer', status: 404, body: '' },
  mountGone: {
    kind: 'answer',
    status: 404,
    body: '{"errors":["no handler for route \\"secret/metadata/\\". route entry not found."]}\n',
  },
  wrongPath: {
    kind: 'answer',
    status: 404,
    body: '{"request_id":"x","data":null,"warnings":["Invalid path for a versioned K/V secrets engine."]}',
  },
  htmlNotFound: {
    kind: 'answer',
    status: 404,
    body: '<html>not found</html>',
    headers: { 'Content-Type': 'text/html' },
  },
  html: {
    kind: 'answer',
    status: 200,
    body: '<html>please log in</html>',
    headers: { 'Content-Type': 'text/html' },
  },
  rateLimited: { kind: 'answer', status: 429, body: '{"errors":["rate limit quota exceeded"]}\n' },
  /** Seconds, or the text of a date. */
  rateLimitedFor: (retryAfter: number | string): FaultAction => ({
    kind: 'answer',
    status: 429,
    body: '{"errors":["rate limit quota exceeded"]}\n',
    headers: { 'Retry-After': String(retryAfter) },
  }),
  internalError: { kind: 'answer', status: 500, body: '{"errors":["internal error"]}\n' },
  sealed: { kind: 'answer', status: 503, body: '{"errors":["Vault is sealed"]}\n' },
  noLeader: { kind: 'answer', status: 500, body: 'No cluster leader' },
} as const satisfies Record<string, FaultAction | ((...given: never[]) => FaultAction)>;

let proxies = 0;

/** A loopback address that nobody else listens on: while a proxy is down, its port must not become that of another server. */
function ownHost(): string {
  // Elsewhere only one loopback address is set up.
  if (process.platform !== 'linux') return '127.0.0.1';
  proxies += 1;
  return `127.${100 + ((process.pid >> 8) & 127)}.${process.pid & 255}.${1 + (proxies % 254)}`;
}

/** Part of a rule: the first request that is hit makes something happen, and all that are hit pass only when it has happened. */
export function passAfter(happen: () => Promise<unknown>): Pick<FaultRule, 'onHit' | 'action'> {
  let resolve: (happened: unknown) => void = () => {};
  const until = new Promise((resolved) => {
    resolve = resolved;
  });
  let begun = false;
  const onHit = () => {
    if (!begun) resolve(happen());
    begun = true;
  };
  return { onHit, action: { kind: 'hold', until } };
}

/** The most requests that were under way at one moment, of those that began at `from` or later. */
export function mostUnderWay(seen: readonly SeenRequest[], from = 0): number {
  const edges = seen
    .filter(({ at }) => at >= from)
    .flatMap(({ at, endedAt = Number.POSITIVE_INFINITY }) => [
      { at, step: 1 },
      { at: endedAt, step: -1 },
    ])
    .sort((a, b) => a.at - b.at || a.step - b.step);
  let [now, most] = [0, 0];
  for (const { step } of edges) {
    now += step;
    most = Math.max(most, now);
  }
  return most;
}

interface Armed {
  readonly rule: FaultRule;
  skip: number;
  left: number;
  hits: number;
}

type Seen = { -readonly [key in keyof SeenRequest]: SeenRequest[key] };

/** Starts a proxy on loopback in front of `target` (`http://host:port`). */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const upstream = new URL(target);
  // Consul takes 200 connections of one client, which all tests of a file share.
  const agent = new Agent({ keepAlive: true, maxSockets: 16, maxFreeSockets: 4 });
  const requests: string[] = [];
  const seen: Seen[] = [];
  const listeners: ((request: SeenRequest) => void)[] = [];
  const replyListeners: Parameters<FaultProxy['onReply']>[0][] = [];
  const sockets = new Set<Socket>();
  let armed: Armed[] = [];

  const server = createServer((request, response) => {
    const entry = note(request, response);
    for (const listener of listeners) listener(entry);
    void collect(request).then((body) => {
      const rule = take(request, body);
      if (rule === undefined) return forward(request, body, response, pass);
      rule.onHit?.();
      return act(rule.action, request, body, response);
    });
  });
  // Blocking queries are held open on purpose.
  server.requestTimeout = 0;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const host = ownHost();
  await listen(0);
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  const { port } = bound;

  return {
    address: `http://${host}:${port}`,
    requests,
    seen,
    add: (rule) => {
      const each: Armed = {
        rule,
        skip: rule.skip ?? 0,
        left: rule.times ?? Number.POSITIVE_INFINITY,
        hits: 0,
      };
      armed.push(each);
      return { hits: () => each.hits };
    },
    onRequest: (listener) => void listeners.push(listener),
    onReply: (listener) => void replyListeners.push(listener),
    clear: () => {
      armed = [];
      requests.length = 0;
    },
    down: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
    },
    up: () => listen(port),
    close: async () => {
      agent.destroy();
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  async function listen(on: number): Promise<void> {
    server.listen(on, host);
    await once(server, 'listening');
  }

  function note({ method = '', url = '', headers }: IncomingMessage, response: ServerResponse): Seen {
    requests.push(`${method} ${url}`);
    const token = headers['x-vault-token'] ?? headers['x-consul-token'];
    const entry: Seen = {
      method,
      path: url,
      token: token?.toString(),
      at: performance.now(),
      endedAt: undefined,
      status: undefined,
    };
    seen.push(entry);
    response.once('close', () => {
      entry.endedAt = performance.now();
      if (response.headersSent) entry.status = response.statusCode;
    });
    return entry;
  }

  function take(request: IncomingMessage, body: Buffer): FaultRule | undefined {
    for (const each of armed) {
      const { method, path, body: inBody } = each.rule;
      if (each.left === 0 || (method !== undefined && method !== request.method)) continue;
      if (!path.test(request.url ?? '')) continue;
      const matches = inBody instanceof RegExp ? (text: string) => inBody.test(text) : inBody;
      if (matches?.(body.toString()) === false) continue;
      if (each.skip > 0) {
        each.skip -= 1;
        continue;
      }
      each.left -= 1;
      each.hits += 1;
      return each.rule;
    }
    return undefined;
  }

  function act(action: FaultAction, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    switch (action.kind) {
      case 'delay':
        setTimeout(() => forward(request, body, response, pass), action.ms).unref();
        return;
      case 'late':
        setTimeout(() => forward(request, body, response, pass, true), action.ms).unref();
        return;
      case 'hold':
        void action.until.then(
          () => forward(request, body, response, pass),
          () => response.socket?.destroy(),
        );
        return;
      case 'blackHole':
        return;
      case 'reset':
        request.socket.resetAndDestroy();
        return;
      case 'dropReply':
        forward(request, body, response, (_answer, _bytes, client) => {
          if (!action.silently) client.socket?.resetAndDestroy();
        });
        return;
      case 'cutAfter':
        forward(request, body, response, (answer, bytes, client) => {
          client.writeHead(answer.statusCode ?? 502, { ...answer.headers });
          client.write(bytes.subarray(0, action.bytes), () => client.socket?.destroy());
        });
        return;
      case 'answerAfterEffect':
        forward(request, body, response, (_answer, _bytes, client) => say(action, client));
        return;
      case 'redirect':
        say({ status: 307, headers: { Location: `${action.to}${request.url}` } }, response);
        return;
      case 'answer':
        say(action, response);
    }
  }

  function forward(
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    reply: (answer: IncomingMessage, bytes: Buffer, client: ServerResponse) => void,
    evenIfGone = false,
  ): void {
    if (response.destroyed && !evenIfGone) return;
    const { method = '', url: path = '', headers } = request;
    const { hostname: host, port: at } = upstream;
    const onward = httpRequest(
      { agent, host, port: at, method, path, headers },
      (answer) =>
        void collect(answer).then((bytes) => {
          for (const listener of replyListeners) listener({ method, path });
          reply(answer, bytes, response);
        }),
    );
    onward.on('error', () => response.socket?.destroy());
    // A client that gives up (a blocking query, an abort) takes the request to the server with it.
    response.on('close', () => {
      if (!response.writableFinished && !evenIfGone) onward.destroy();
    });
    onward.end(body);
  }
}

function say({ status, headers, body = '' }: Answer, client: ServerResponse): void {
  client.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  client.end(body);
}

function pass(answer: IncomingMessage, bytes: Buffer, client: ServerResponse): void {
  client.writeHead(answer.statusCode ?? 502, { ...answer.headers });
  client.end(bytes);
}

async function collect(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer);
  } catch {
    // The other end went away; whoever waits for this sees its own connection close.
  }
  return Buffer.concat(chunks);
}
