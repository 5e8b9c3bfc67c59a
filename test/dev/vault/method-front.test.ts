import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startDevVault } from '../../../src/dev/vault/dev-vault.ts';
import { HeadRewriter } from '../../../src/dev/vault/method-front.ts';

/** What the HTTP server sees of `sent`, cut into pieces at these places. */
function rewritten(sent: string, cuts: readonly number[] = []): string {
  const rewriter = new HeadRewriter();
  const bytes = Buffer.from(sent, 'latin1');
  const places = [...new Set(cuts)].filter((cut) => cut < bytes.length).sort((a, b) => a - b);
  const pieces = [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
  return Buffer.concat(pieces.map((piece) => rewriter.rewrite(piece))).toString('latin1');
}

const list = 'LIST /v1/x HTTP/1.1\r\nHost: a\r\n\r\n';
const listSeen = 'REPORT /v1/x HTTP/1.1\r\ndev-vault-method: LIST\r\nHost: a\r\n\r\n';
const post = 'POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 23\r\n\r\nLIST /v1/y HTTP/1.1\r\n\r\n';
const chunked =
  'PUT /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nLIST /\r\n\r\n5;ext=1\r\nabcde\r\n0\r\nTrailer: LIST /\r\n\r\n';

describe('the verbs of a connection', () => {
  it.each([
    { name: 'LIST', sent: list, seen: listSeen },
    { name: 'any verb', sent: list.replace('LIST', 'M-FOO'), seen: listSeen.replace('LIST', 'M-FOO') },
    { name: 'empty lines before the head', sent: `\r\n${list}`, seen: listSeen },
    { name: 'known verbs', sent: list.replace('LIST', 'GET'), seen: list.replace('LIST', 'GET') },
    { name: 'a body', sent: post, seen: post },
    { name: 'a chunked body', sent: chunked, seen: chunked },
    { name: 'no HTTP at all', sent: '\x16\x03\x01 \r\n\r\n', seen: '\x16\x03\x01 \r\n\r\n' },
    {
      name: 'raw bytes in a path',
      sent: 'GET /\xc3\xa9 HTTP/1.1\r\n\r\n',
      seen: 'GET /%c3%a9 HTTP/1.1\r\n\r\n',
    },
  ])('are rewritten where Node does not know them: $name', ({ sent, seen }) => {
    expect(rewritten(sent)).toBe(seen);
  });

  it('are found in any sequence of requests, however the bytes arrive', () => {
    const requests = fc.array(fc.constantFrom([list, listSeen], [post, post], [chunked, chunked]), {
      minLength: 1,
    });
    fc.assert(
      fc.property(requests, fc.array(fc.nat(600)), (pairs, cuts) => {
        expect(rewritten(pairs.map(([sent]) => sent).join(''), cuts)).toBe(
          pairs.map(([, seen]) => seen).join(''),
        );
      }),
    );
  });

  it('come through on one connection, pipelined', async () => {
    const vault = await startDevVault({ flavour: 'vault' });
    const socket = connect(Number(new URL(vault.address).port), '127.0.0.1');
    let seen = '';
    socket.on('data', (chunk) => {
      seen += chunk.toString();
    });
    socket.write(`${list}${chunked}FOO /v1/y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    await new Promise((resolve) => socket.on('close', resolve));
    await vault.close();
    expect(seen.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 403', 'HTTP/1.1 400', 'HTTP/1.1 405']);
    expect(vault.requests.lines).toEqual(['LIST /v1/x', 'PUT /v1/x', 'FOO /v1/y']);
  });
});
