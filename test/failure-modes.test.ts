import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../src/base/errors.ts';

/** docs/failure-modes.md names a test for each fault: it must exist, under that name. */
describe('docs/failure-modes.md', () => {
  const page = new URL('../docs/failure-modes.md', import.meta.url);
  const text = readFileSync(page, 'utf8');
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| fault ') && !line.startsWith('| **'))
    .map((line) => line.slice(2, -2).split(' | '));

  it('has a row for each fault, and five cells in each', () => {
    expect(rows.length).toBeGreaterThan(40);
    for (const cells of rows) expect(cells, cells[0]).toHaveLength(5);
  });

  it.each(rows.map(([fault = '', , , , tests = '']) => ({ fault, tests })))(
    '$fault: its test exists',
    ({ tests }) => {
      for (const each of tests.split('<br>')) {
        const [, file = '', name = ''] = /^\[[a-z-]+\]\(([^)]+)\) "(.+)"$/.exec(each) ?? [];
        expect(name, each).not.toBe('');
        // As it is written in the source: quotes may be escaped there.
        const source = readFileSync(new URL(file, page), 'utf8').replaceAll("\\'", "'");
        expect(source.includes(`'${name}`) || source.includes(`"${name}`), each).toBe(true);
      }
    },
  );

  it('names no error id that there is not', () => {
    const named = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, id]) => id);
    expect(named.filter((id) => !Object.hasOwn(errorCodes, id ?? ''))).toEqual([]);
  });
});
