import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { leaked, open } from './support/no-leaks.ts';

it('what a test leaves open is found: connections, servers and timers', async () => {
  const before = open();
  expect(leaked(before)).toEqual([]);
  const timer = setTimeout(() => {}, 60_000);
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as { port: number }).port, '127.0.0.1');
  await once(client, 'connect');
  expect(leaked(before)).toEqual(['1 connections', '1 servers', '1 timers']);
  // What does not keep the process alive is no leak.
  for (const each of [timer, server, client]) each.unref();
  expect(leaked(before)).toEqual([]);
  clearTimeout(timer);
  client.destroy();
  server.close();
  await once(server, 'close');
});
