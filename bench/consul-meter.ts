import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Stands before a Consul and counts the bytes that its clients send, heads of requests included. */
export interface ConsulMeter {
  readonly address: string;
  bytesSent(): number;
  close(): Promise<void>;
}

export async function startConsulMeter(target: string): Promise<ConsulMeter> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let bytes = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    client.on('data', (chunk) => {
      bytes += chunk.length;
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the meter has no TCP port');
  return {
    address: `http://127.0.0.1:${bound.port}`,
    bytesSent: () => bytes,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
