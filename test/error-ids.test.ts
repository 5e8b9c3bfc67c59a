import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { errorCatalogue } from '../src/base/error-catalogue.ts';
import { errorCodes, exitCodes } from '../src/base/errors.ts';

/** Every message id of `docs/errors.md` and every exit code is what some test expects. */

const root = fileURLToPath(new URL('..', import.meta.url));

function linesBelow(folder: string, end: string): string[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(end) && file !== 'error-ids.test.ts')
    .flatMap((file) => readFileSync(`${root}${folder}/${file}`, 'utf8').split('\n'));
}

/** Those that are only warned of have no exit code. */
const logged = linesBelow('src', '.ts').flatMap((line) => /'error\.id': '(\w+)'/.exec(line)?.[1] ?? []);

/** Lines of tests that expect something: one that makes a failure itself proves nothing. */
const expecting = linesBelow('test', '.test.ts').filter(
  (line) => !/new VsyncError\(|not\.to|^import /.test(line),
);

describe('is expected by a test', () => {
  it('every id that is explained', () => {
    expect(Object.keys(errorCatalogue).sort()).toEqual(Object.keys(errorCodes).sort());
    expect(logged).toContain('TOKEN_TTL_SHORT');
  });

  it.each([...new Set([...Object.keys(errorCatalogue), ...logged])])('%s', (id) => {
    const expected = new RegExp(`['"\`/^ ]${id}['"\`/$\\\\, ]`);
    expect(expecting.filter((line) => expected.test(line))).not.toEqual([]);
  });

  it.each(Object.entries(exitCodes))('exit code of %s: %i', (_name, code) => {
    const expected = new RegExp(`(code|exit|toBe|toEqual|expectCode)\\b.*\\b${code}\\b`, 'i');
    expect(expecting.filter((line) => expected.test(line))).not.toEqual([]);
  });
});
