import { describe, expect, it } from 'vitest';
import { consulError, type FailedConsulRequest, foreignAnswer } from '../../src/consul/errors.ts';
import { expectNoLeak } from '../vault/leaks.ts';

const read: FailedConsulRequest = {
  side: 'destination',
  address: 'https://consul:8501',
  operation: 'GET',
  path: 'vsync/origin/index',
  writes: false,
};
const write: FailedConsulRequest = { ...read, operation: 'PUT', writes: true };
const [yes, no] = [true, false];

describe('a status means', () => {
  it.each([
    // status, code, class, retried, a write may have had its effect
    [301, 'CONSUL_REFUSED', 'transient', no, no],
    [400, 'CONSUL_REFUSED', 'transient', no, no],
    [403, 'CONSUL_FORBIDDEN', 'fatal', no, no],
    [404, 'CONSUL_REFUSED', 'transient', no, no],
    [405, 'CONSUL_REFUSED', 'transient', no, no],
    [409, 'CONSUL_REFUSED', 'transient', no, no],
    [413, 'CONSUL_VALUE_TOO_LARGE', 'fatal', no, no],
    [429, 'CONSUL_UNAVAILABLE', 'transient', yes, no],
    [500, 'CONSUL_UNAVAILABLE', 'transient', yes, yes],
    [502, 'CONSUL_UNAVAILABLE', 'transient', yes, yes],
    [503, 'CONSUL_UNAVAILABLE', 'transient', yes, yes],
  ] as const)('%i: %s', (statusCode, code, failureClass, retryable, ambiguous) => {
    const expected = { code, class: failureClass, retryable, status: statusCode };
    expect(consulError(read, { statusCode })).toMatchObject({ ...expected, ambiguous: false });
    expect(consulError(write, { statusCode })).toMatchObject({ ...expected, ambiguous });
  });
});

describe('a network code means', () => {
  it.each([
    // code, retried, a write may have had its effect
    ['ECONNREFUSED', yes, no],
    ['ENOTFOUND', yes, no],
    ['EAI_AGAIN', yes, no],
    ['EHOSTUNREACH', yes, no],
    ['ENETUNREACH', yes, no],
    ['ECONNRESET', yes, yes],
    ['EPIPE', yes, yes],
    ['HPE_INVALID_CONSTANT', yes, yes],
    ['CERT_HAS_EXPIRED', no, no],
    ['SELF_SIGNED_CERT_IN_CHAIN', no, no],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', no, no],
    ['ERR_TLS_CERT_ALTNAME_INVALID', no, no],
    ['EPROTO', no, no],
  ] as const)('%s', (code, retryable, ambiguous) => {
    const expected = { code: 'CONSUL_UNREACHABLE', class: 'transient', retryable };
    expect(consulError(read, { code })).toMatchObject({ ...expected, ambiguous: false });
    expect(consulError(write, { code })).toMatchObject({
      ...expected,
      ambiguous,
      why: expect.stringContaining(code),
    });
  });

  it('a timeout is one', () => {
    expect(consulError(write, { isTimeout: true, code: 'ECONNRESET' })).toMatchObject({
      code: 'CONSUL_UNREACHABLE',
      ambiguous: true,
      why: expect.stringMatching(/^TIMEOUT/),
    });
  });

  it.each([undefined, null, 'a word', new Error('canary'), { response: {} }])(
    '%s is an unknown one',
    (thrown) => {
      const error = consulError(write, thrown);
      expect(error).toMatchObject({ code: 'CONSUL_UNREACHABLE', retryable: true, ambiguous: true });
      expectNoLeak(error, /canary/);
    },
  );
});

describe('what a person reads', () => {
  it('of a refusal is the rule that is missing', () => {
    expect(consulError(read, { statusCode: 403 }).hint).toContain(
      'key_prefix "vsync/origin/" { policy = "read" }',
    );
    expect(consulError(write, { statusCode: 403 }).hint).toContain(
      'key_prefix "vsync/origin/" { policy = "write" }',
    );
  });

  it('never is what the package says: its errors hold the token', () => {
    const raw = Object.assign(new Error('canary'), {
      statusCode: 500,
      response: { headers: { 'x-consul-token': 'canary', 'retry-after': '7' }, body: 'canary' },
      request: { headers: { 'x-consul-token': 'canary' } },
    });
    const error = consulError(write, raw);
    expectNoLeak(error, /canary/);
    expect(error.retryAfterMs).toBe(7000);
  });

  it.each([
    consulError(read, { statusCode: 403 }),
    consulError(read, { statusCode: 500 }),
    consulError(read, { code: 'ECONNREFUSED' }),
    foreignAnswer(read, 200),
  ])('names the side and the object: $message', (error) => {
    expect(error.message).toContain('destination Consul');
    expect(error.where).toEqual({
      side: 'destination',
      server: 'consul',
      address: 'https://consul:8501',
      path: 'vsync/origin/index',
    });
  });
});
