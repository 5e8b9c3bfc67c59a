import { describe, expect, it } from 'vitest';
import { startDevConsul } from '../../../src/dev/consul/dev-consul.ts';
import { RequestLog } from '../../../src/dev/consul/request-log.ts';
import { send } from './client.ts';

describe('the request log', () => {
  it.each([
    { url: '/v1/kv/a', method: 'GET', kind: 'kv' },
    { url: '/v1/kv/a?index=5&wait=1s', method: 'GET', kind: 'kv' },
    { url: '/v1/kv/keys?monkeys=1', method: 'GET', kind: 'kv' },
    { url: '/v1/kv/a?recurse', method: 'GET', kind: 'recurse' },
    { url: '/v1/kv/a?dc=x&recurse=true', method: 'GET', kind: 'recurse' },
    { url: '/v1/kv/?keys&separator=/', method: 'GET', kind: 'keys' },
    { url: '/v1/kv/a?recurse', method: 'DELETE', kind: 'kv' },
    { url: '/v1/kv/a?cas=1', method: 'PUT', kind: 'kv' },
    { url: '/v1/txn', method: 'PUT', kind: 'txn' },
    { url: '/v1/session/create', method: 'PUT', kind: 'session' },
    { url: '/v1/status/leader', method: 'GET', kind: 'status' },
    { url: '/v1/agent/self', method: 'GET', kind: 'agent' },
    { url: '/v1/catalog/datacenters', method: 'GET', kind: 'catalog' },
    { url: '/v1/nope', method: 'GET', kind: 'other' },
    { url: '/ui/kv', method: 'GET', kind: 'other' },
  ])('counts $method $url as $kind', ({ url, method, kind }) => {
    const log = new RequestLog();
    log.add(method, url);
    expect([...log.counts]).toEqual([[`${method} ${kind}`, 1]]);
  });

  it('counts one method and kind, and all', () => {
    const log = new RequestLog();
    log.add('GET', '/v1/kv/a');
    log.add('GET', '/v1/kv/b');
    log.add('PUT', '/v1/txn');
    expect(log.count('GET kv')).toBe(2);
    expect(log.count('PUT txn')).toBe(1);
    expect(log.count('PUT kv')).toBe(0);
    expect(log.total).toBe(3);
  });

  it('never holds a token', () => {
    const log = new RequestLog();
    log.add('GET', '/v1/kv/a?token=secret&dc=dc1');
    log.add('GET', '/v1/kv/a?dc=dc1&token=secret');
    expect(log.lines).toEqual(['GET /v1/kv/a?token=<hidden>&dc=dc1', 'GET /v1/kv/a?dc=dc1&token=<hidden>']);
  });

  it('keeps the latest of very many requests, and counts all', () => {
    const log = new RequestLog();
    for (let request = 0; request < 100_000; request += 1) log.add('GET', `/v1/kv/${request}`);
    expect(log.total).toBe(100_000);
    expect(log.count('GET kv')).toBe(100_000);
    expect(log.lines.length).toBeLessThanOrEqual(40_000);
    expect(log.lines.at(-1)).toBe('GET /v1/kv/99999');
  });

  it('shows what a server was asked, until it is reset', async () => {
    const consul = await startDevConsul();
    await send(consul, 'PUT kv/a?cas=0', '1');
    await send(consul, 'GET kv/a%20b?raw');
    expect(consul.requests.lines).toEqual(['PUT /v1/kv/a?cas=0', 'GET /v1/kv/a%20b?raw']);
    consul.requests.reset();
    expect(consul.requests.lines).toEqual([]);
    expect(consul.requests.counts.size).toBe(0);
    expect(consul.requests.total).toBe(0);
    await consul.close();
  });
});
