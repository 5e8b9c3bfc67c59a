import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';

/** An HTTPS server that answers everything with `body` and remembers whose certificate came. */
export interface TlsServer {
  /** `https://127.0.0.1:<port>` */
  readonly address: string;
  /** Common name of each client certificate, `undefined` for requests without. */
  readonly clients: (string | undefined)[];
  close(): Promise<void>;
}

export async function startTlsServer(options: ServerOptions, body: string): Promise<TlsServer> {
  const clients: (string | undefined)[] = [];
  const server = createServer(options, (request, response) => {
    clients.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN);
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('X-Consul-Index', '7');
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return {
    address: `https://127.0.0.1:${bound.port}`,
    clients,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
