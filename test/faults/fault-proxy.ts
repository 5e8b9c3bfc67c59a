import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';

/**
 * An HTTP proxy that stands between vsync and one real server and does to chosen requests what networks and servers do:
 * late, cut, reset and lost answers, and answers that are not what was asked for. Everything else passes unchanged.
 */

export type FaultAction =
  /** Passes the request on after this time. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Takes the request and never answers; the server does not see it. */
  | { readonly kind: 'blackHole' }
  /** Resets the connection; the server does not see the request. */
  | { readonly kind: 'reset' }
  /** Passes the answer's head and so many bytes of its body, then cuts the connection. */
  | { readonly kind: 'cutAfter'; readonly bytes: number }
  /** The server does what was asked, and its answer is lost. */
  | { readonly kind: 'dropReply' }
  /** Answers in the server's place. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface FaultRule {
  readonly method?: string;
  /** On the path with its query, as sent. */
  readonly path: RegExp;
  /** How many matching requests pass unharmed first. */
  readonly skip?: number;
  /** How many are hit; default all. */
  readonly times?: number;
  readonly action: FaultAction;
}

export interface FaultProxy {
  /** To be given to vsync in the server's place. */
  readonly address: string;
  /** `METHOD path` of everything that came, in order. */
  readonly requests: readonly string[];
  /** Adds a rule; the first that matches decides. Returns how often it has hit. */
  add(rule: FaultRule): { readonly hits: () => number };
  /** From now on everything passes; the list of requests is emptied. */
  clear(): void;
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
  rateLimitedFor: (seconds: number): FaultAction => ({
    kind: 'answer',
    status: 429,
    body: '{"errors":["rate limit quota exceeded"]}\n',
    headers: { 'Retry-After': String(seconds) },
  }),
  internalError: { kind: 'answer', status: 500, body: '{"errors":["internal error"]}\n' },
  sealed: { kind: 'answer', status: 503, body: '{"errors":["Vault is sealed"]}\n' },
  noLeader: { kind: 'answer', status: 500, body: 'No cluster leader' },
  redirectTo: (location: string): FaultAction => ({
    kind: 'answer',
    status: 307,
    headers: { Location: location },
    body: '',
  }),
} as const satisfies Record<string, FaultAction | ((...given: never[]) => FaultAction)>;

interface Armed {
  readonly rule: FaultRule;
  skip: number;
  left: number;
  hits: number;
}

/** Starts a proxy on loopback in front of `target` (`http://host:port`). */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const upstream = new URL(target);
  const agent = new Agent({ keepAlive: true });
  const requests: string[] = [];
  let armed: Armed[] = [];

  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const fault = take(request);
    const body = collect(request);
    if (fault === undefined) void body.then((text) => forward(request, text, response, pass));
    else void body.then((text) => act(fault, request, text, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');

  return {
    address: `http://127.0.0.1:${bound.port}`,
    requests,
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
    clear: () => {
      armed = [];
      requests.length = 0;
    },
    close: async () => {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  function take(request: IncomingMessage): FaultAction | undefined {
    for (const each of armed) {
      const { method, path, action } = each.rule;
      if (
        (method !== undefined && method !== request.method) ||
        !path.test(request.url ?? '') ||
        each.left === 0
      )
        continue;
      if (each.skip > 0) {
        each.skip -= 1;
        continue;
      }
      each.left -= 1;
      each.hits += 1;
      return action;
    }
    return undefined;
  }

  function act(action: FaultAction, request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    switch (action.kind) {
      case 'delay':
        setTimeout(() => forward(request, body, response, pass), action.ms).unref();
        return;
      case 'blackHole':
        return;
      case 'reset':
        request.socket.resetAndDestroy();
        return;
      case 'dropReply':
        forward(request, body, response, (_answer, _bytes, client) => client.socket?.resetAndDestroy());
        return;
      case 'cutAfter':
        forward(request, body, response, (answer, bytes, client) => {
          client.writeHead(answer.statusCode ?? 502, { ...answer.headers });
          client.write(bytes.subarray(0, action.bytes), () => client.socket?.destroy());
        });
        return;
      case 'answer':
        response.writeHead(action.status, { 'Content-Type': 'application/json', ...action.headers });
        response.end(action.body ?? '');
    }
  }

  function forward(
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    reply: (answer: IncomingMessage, bytes: Buffer, client: ServerResponse) => void,
  ): void {
    const onward = httpRequest(
      {
        agent,
        host: upstream.hostname,
        port: upstream.port,
        method: request.method,
        path: request.url,
        headers: request.headers,
      },
      (answer) => void collect(answer).then((bytes) => reply(answer, bytes, response)),
    );
    onward.on('error', () => response.socket?.destroy());
    // A client that gives up (a blocking query, an abort) takes the request to the server with it.
    response.on('close', () => {
      if (!response.writableFinished) onward.destroy();
    });
    onward.end(body);
  }
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
