import { type ClientRequest, Agent as HttpAgent, type RequestOptions, request as sendHttp } from 'node:http';
import { Agent as HttpsAgent, request as sendHttps } from 'node:https';
import type { Secret } from '../base/secret.ts';

/** What the `consul` package sends its requests with, in place of plain `node:http`. */

export interface ConsulTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly skipVerify?: boolean;
}

/** Consul closes connections beyond 200 for each client address (`limits.http_max_conns_per_client`). */
export const maxSockets = 64;

export function openAgent(secure: boolean, tls: ConsulTls): HttpAgent {
  const sockets = { keepAlive: true, maxSockets };
  return secure ? new HttpsAgent({ ...sockets, ...certificates(tls) }) : new HttpAgent(sockets);
}

/** `request` as in `node:http` and `node:https`, with the token and without two traps of the package. */
export function consulTransport(secure: boolean, current: () => Secret | undefined) {
  return {
    request(options: RequestOptions): ClientRequest {
      const request = secure ? sendHttps(options) : sendHttp(options);
      // Not among the options: Node prints those with NODE_DEBUG=http (R12).
      const token = current();
      if (token !== undefined) request.setHeader('X-Consul-Token', token.reveal());
      // The package listens to the request only: an answer that is cut off would settle with the timeout.
      request.once('response', (response) => {
        response.once('error', (error) => request.emit('error', error));
      });
      return request;
    },
  };
}

function certificates({ ca, cert, key, serverName, skipVerify }: ConsulTls) {
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(serverName && { servername: serverName }),
    ...(skipVerify && { rejectUnauthorized: false }),
  };
}
