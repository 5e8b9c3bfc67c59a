import type { DevConsul } from '../../../src/dev/consul/dev-consul.ts';

/** What a test reads of an answer. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly index: string | null;
}

/** Sends `METHOD path` to a server and reads all of the answer. Rejects if the connection ends before that. */
export async function send(consul: DevConsul, request: string, body?: string): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ');
  const response = await fetch(`${consul.address}/v1/${path}`, {
    method,
    // Not kept alive: a server that starts anew on the same port would meet the connections of the last one.
    headers: { Connection: 'close' },
    ...(body !== undefined && { body }),
  });
  return {
    status: response.status,
    text: await response.text(),
    index: response.headers.get('x-consul-index'),
  };
}
