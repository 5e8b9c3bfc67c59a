import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of a request: no answer ever, this answer, or (`undefined`) it is passed on to the server. */
export type Interception = 'hold' | { readonly status: number; readonly body: string } | undefined;

/** A proxy in front of a server of a test: writes down what is asked, and answers for the server where it is told to. */
export interface InterceptingProxy {
  readonly address: string;
  /** `GET /v1/secret/data/a`, decoded, in the order in which they came. */
  readonly requests: readonly string[];
  /** Decides about all requests from now on. */
  intercept(decide: (request: string) => Interception): void;
  stop(): Promise<void>;
}

export async function startInterceptingProxy(target: string): Promise<InterceptingProxy> {
  const requests: string[] = [];
  let decide: (request: string) => Interception = () => undefined;
  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method} ${decodeURIComponent(incoming.url ?? '')}`;
    requests.push(line);
    const decided = decide(line);
    if (decided === undefined) passOn(target, incoming, outgoing);
    else if (decided !== 'hold') outgoing.writeHead(decided.status).end(decided.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    intercept: (next) => {
      decide = next;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function passOn(target: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers } = incoming;
  const forwarded = request(`${target}${incoming.url}`, { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.on('error', () => outgoing.destroy());
  outgoing.on('close', () => forwarded.destroy());
  incoming.pipe(forwarded);
}
