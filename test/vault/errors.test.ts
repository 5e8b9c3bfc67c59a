import { describe, expect, it } from 'vitest';
import type { ErrorCode, FailureClass, VsyncError } from '../../src/base/errors.ts';
import {
  badAnswer,
  type FailedRequest,
  networkError,
  notFound,
  statusError,
} from '../../src/vault/errors.ts';

const read: FailedRequest = {
  side: 'destination',
  address: 'https://vault:8200',
  method: 'GET',
  path: 'secret/data/a',
  writes: false,
};
const write: FailedRequest = { ...read, method: 'POST', writes: true };

/** Class, whether a read or a write is retried, and whether a write may have had its effect: all that others decide by. */
interface Verdict {
  readonly code: ErrorCode;
  readonly class: FailureClass;
  readonly readRetryable: boolean;
  readonly writeRetryable: boolean;
  readonly ambiguous: boolean;
}

function verdict(make: (request: FailedRequest) => VsyncError): Verdict {
  const [ofRead, ofWrite] = [make(read), make(write)];
  expect(ofRead.ambiguous, 'a read is never ambiguous').toBe(false);
  expect([ofRead.code, ofRead.class], 'a read and a write differ in their consequences only').toEqual([
    ofWrite.code,
    ofWrite.class,
  ]);
  return {
    code: ofRead.code,
    class: ofRead.class,
    readRetryable: ofRead.retryable,
    writeRetryable: ofWrite.retryable,
    ambiguous: ofWrite.ambiguous,
  };
}

const [yes, no] = [true, false];

describe('a status means', () => {
  it.each([
    // status, code, class, a read is retried, a write is retried if it is not ambiguous, a write may have had its effect
    [202, 'VAULT_REFUSED', 'path', no, no, no],
    [301, 'VAULT_REDIRECT', 'transient', no, no, no],
    [302, 'VAULT_REDIRECT', 'transient', no, no, no],
    [307, 'VAULT_REDIRECT', 'transient', no, no, no],
    [308, 'VAULT_REDIRECT', 'transient', no, no, no],
    [400, 'VAULT_REFUSED', 'path', yes, no, no],
    [401, 'VAULT_REFUSED', 'path', no, no, no],
    [403, 'VAULT_FORBIDDEN', 'path', no, no, no],
    [405, 'VAULT_REFUSED', 'path', no, no, no],
    [412, 'VAULT_UNAVAILABLE', 'transient', yes, yes, yes],
    [413, 'SECRET_TOO_LARGE', 'path', no, no, no],
    [415, 'VAULT_REFUSED', 'path', no, no, no],
    [429, 'RATE_LIMITED', 'transient', yes, yes, no],
    [472, 'VAULT_REFUSED', 'path', no, no, no],
    [500, 'VAULT_UNAVAILABLE', 'path', yes, yes, yes],
    [501, 'VAULT_UNAVAILABLE', 'transient', yes, yes, yes],
    [502, 'VAULT_UNAVAILABLE', 'transient', yes, yes, yes],
    [503, 'VAULT_SEALED', 'transient', yes, yes, no],
    [504, 'VAULT_UNAVAILABLE', 'transient', yes, yes, yes],
    [599, 'VAULT_UNAVAILABLE', 'transient', yes, yes, yes],
  ] as const)('%i: %s', (status, code, failureClass, readRetryable, writeRetryable, ambiguous) => {
    expect(verdict((request) => statusError(request, status, undefined))).toEqual({
      code,
      class: failureClass,
      readRetryable,
      writeRetryable,
      ambiguous,
    });
    expect(statusError(read, status, 1500)).toMatchObject({ status, retryAfterMs: 1500 });
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
    ['UND_ERR_CONNECT_TIMEOUT', yes, no],
    ['ECONNRESET', yes, yes],
    ['EPIPE', yes, yes],
    ['ETIMEDOUT', yes, yes],
    ['TIMEOUT', yes, yes],
    ['UND_ERR_SOCKET', yes, yes],
    ['NETWORK', yes, yes],
    ['CERT_HAS_EXPIRED', no, no],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', no, no],
    ['SELF_SIGNED_CERT_IN_CHAIN', no, no],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', no, no],
    ['ERR_TLS_CERT_ALTNAME_INVALID', no, no],
    ['ERR_SSL_WRONG_VERSION_NUMBER', no, no],
  ] as const)('%s', (code, retryable, ambiguous) => {
    expect(verdict((request) => networkError(request, code, 30_000))).toEqual({
      code: 'VAULT_UNREACHABLE',
      class: 'transient',
      readRetryable: retryable,
      writeRetryable: retryable,
      ambiguous,
    });
  });

  it('a timeout says how long it waited, and TLS what to set', () => {
    expect(networkError(read, 'TIMEOUT', 30_000).why).toBe('no answer within 30 s');
    expect(networkError(read, 'CERT_HAS_EXPIRED', 30_000)).toMatchObject({
      why: 'TLS: CERT_HAS_EXPIRED',
      hint: expect.stringContaining('destination.vault.tls.ca_cert'),
    });
  });
});

describe('an answer that is not of the API', () => {
  it('is retried when it was read, and unclear when something was written', () => {
    expect(verdict((request) => badAnswer(request, 'it is HTML'))).toEqual({
      code: 'VAULT_BAD_ANSWER',
      class: 'transient',
      readRetryable: yes,
      writeRetryable: no,
      ambiguous: yes,
    });
  });
});

describe('what a person reads', () => {
  it.each([
    ...[202, 307, 400, 403, 412, 413, 429, 500, 502, 503].map((status) =>
      statusError(read, status, undefined),
    ),
    networkError(read, 'ECONNREFUSED', 30_000),
    networkError(read, 'CERT_HAS_EXPIRED', 30_000),
    badAnswer(read, 'it is HTML'),
  ])('names the side and the object: $message', (error) => {
    expect(error.message).toContain('destination Vault');
    expect(error.where).toEqual({
      side: 'destination',
      server: 'vault',
      address: 'https://vault:8200',
      path: 'secret/data/a',
    });
  });
});

describe('a 404', () => {
  it.each([
    { name: 'nothing', body: undefined, kind: 'foreign' },
    { name: 'null', body: null, kind: 'foreign' },
    { name: 'a text', body: '{"errors":[]}', kind: 'foreign' },
    { name: 'an object of others', body: { message: 'no Route matched' }, kind: 'foreign' },
    { name: 'errors that are no list', body: { errors: null }, kind: 'foreign' },
    { name: 'errors as a text', body: { errors: '' }, kind: 'foreign' },
    { name: 'an empty list', body: [], kind: 'foreign' },
    { name: 'no errors', body: { errors: [] }, kind: 'empty' },
    { name: 'errors', body: { errors: ['no handler for route'] }, kind: 'no_mount' },
    { name: 'a warning and no data', body: { data: null, warnings: ['Invalid path'] }, kind: 'wrong_path' },
    { name: 'no data and no warning', body: { data: null, warnings: null }, kind: 'foreign' },
    { name: 'data without metadata', body: { data: { data: null } }, kind: 'foreign' },
    { name: 'metadata that is none', body: { data: { metadata: null } }, kind: 'foreign' },
  ])('with $name is "$kind"', ({ body, kind }) => {
    expect(notFound(body)).toMatchObject({ kind, version: undefined });
  });

  it('of a deleted version names it', () => {
    expect(notFound({ data: { data: null, metadata: { version: 3 } } })).toMatchObject({
      kind: 'deleted',
      version: 3,
    });
    expect(notFound({ data: { metadata: { version: '3' } } })).toMatchObject({
      kind: 'deleted',
      version: undefined,
    });
  });
});
