import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePath } from '../../src/vault/encode-path.ts';

const refused = (segment: string) => segment === '' || segment === '.' || segment === '..';
/** Any well-formed text without a slash that can be a segment. */
const segment = fc
  .string({ unit: 'grapheme-composite', minLength: 1 })
  .map((text) => text.replaceAll('/', ''))
  .filter((text) => !refused(text) && text.isWellFormed());
const nasty = fc.constantFrom(
  ...[
    ' ',
    '%',
    '#',
    '?',
    '+',
    '\\',
    '&',
    ';',
    '"',
    "'",
    '<',
    '%2F',
    '%2e%2e',
    '..a',
    'a..',
    '...',
    '\t',
    '\n',
    '\u0000',
    '\u00a0',
    'ü',
    '日本',
    '🎉',
    '*',
    '(',
    ':',
    '@',
    '=',
    '$',
    ',',
    '~',
    '|',
    '^',
    '`',
    '{',
    '[',
  ],
);
const path = fc
  .array(
    fc.oneof(
      segment,
      nasty,
      fc.tuple(nasty, segment, nasty).map((parts) => parts.join('')),
    ),
    { minLength: 1 },
  )
  .map((segments) => segments.join('/'));

describe('an encoded path', () => {
  it('is the same path again when a server decodes it segment by segment', () => {
    fc.assert(
      fc.property(path, (text) => {
        expect(encodePath(text).split('/').map(decodeURIComponent).join('/')).toBe(text);
      }),
    );
  });

  it('has nothing in it that a URL parser would take for something else', () => {
    fc.assert(
      fc.property(path, (text) => {
        const encoded = encodePath(text);
        expect(encoded).toMatch(/^[A-Za-z0-9\-_.!~*'()%/]+$/);
        expect(encoded.replace(/%[0-9A-F]{2}/g, '')).not.toContain('%');
        expect(encoded.split('/')).toHaveLength(text.split('/').length);
      }),
    );
  });

  it('survives a URL parser: nothing is resolved, cut or trimmed', () => {
    fc.assert(
      fc.property(path, (text) => {
        const url = new URL(`http://vault:8200/v1/${encodePath(text)}`);
        expect(url.pathname).toBe(`/v1/${encodePath(text)}`);
        expect([url.search, url.hash]).toEqual(['', '']);
      }),
    );
  });
});

describe('what is refused', () => {
  it.each([
    { name: 'nothing', text: '' },
    { name: 'a leading slash', text: '/a' },
    { name: 'a trailing slash', text: 'a/' },
    { name: 'an empty segment', text: 'a//b' },
    { name: 'a dot', text: 'a/./b' },
    { name: 'two dots', text: 'a/../b' },
    { name: 'only two dots', text: '..' },
    { name: 'a lone surrogate', text: 'a/\ud800' },
    { name: 'a lone low surrogate in between', text: 'a\udc00b/c' },
  ])('$name', ({ text }) => {
    expect(() => encodePath(text)).toThrow(
      expect.objectContaining({ code: 'PATH_NOT_ADDRESSABLE', class: 'path', retryable: false }),
    );
  });

  it('is nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const fits = !text.split('/').some(refused) && text.isWellFormed();
        let passed = true;
        try {
          encodePath(text);
        } catch {
          passed = false;
        }
        expect(passed).toBe(fits);
      }),
    );
  });
});
