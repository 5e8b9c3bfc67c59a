/**
 * From an answer to bytes on a socket.
 * May import: types of `answer`.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Answer } from './answer.ts';

const compress = promisify(gzip);

/** Sends an answer, compressed if the client asks for gzip. A client that is gone does not matter. */
export async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
): Promise<void> {
  const body = Buffer.from(answer.body);
  const isCompressed = body.length > 0 && 'Vary' in answer.headers && takesGzip(request);
  const sent = isCompressed ? await compress(body) : body;
  if (response.destroyed) return;
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(isCompressed ? { 'Content-Encoding': 'gzip' } : {}),
    'Content-Length': sent.length,
  });
  response.end(sent);
}

/** Sends the headers and `afterBytes` of the body, then ends the connection: the client is left in the middle of an answer. */
export function sendCut(response: ServerResponse, answer: Answer, afterBytes: number): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { ...answer.headers, 'Content-Length': body.length });
  response.flushHeaders();
  response.write(body.subarray(0, afterBytes), () => response.destroy());
}

function takesGzip(request: IncomingMessage): boolean {
  const accepted = String(request.headers['accept-encoding'] ?? '');
  return /\bgzip\b/.test(accepted) && !/\bgzip\s*;\s*q=0(?:\.0*)?\s*(?:,|$)/.test(accepted);
}
