import { expect, it } from 'vitest';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { keySpecs } from '../../src/config/keys.ts';

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Record<string, Node>;
  readonly required?: string[];
  readonly [keyword: string]: unknown;
}
const schema = configJsonSchema() as Node;
const at = (key: string): Node | undefined =>
  key.split('.').reduce<Node | undefined>((node, name) => node?.properties?.[name], schema);

it('has every key with its description and default', () => {
  for (const { key, description, default: fallback } of keySpecs) {
    expect(at(key)?.description, key).toBe(description);
    expect(at(key)?.default, key).toEqual(fallback);
  }
});

it('knows types, bounds and values', () => {
  expect(at('numBuckets')).toMatchObject({ type: 'integer', minimum: 1, maximum: 65535 });
  expect(at('destination.onConflict')).toMatchObject({ enum: ['overwrite', 'skip', 'fail'] });
  expect(at('origin.mounts')).toMatchObject({ type: 'array', items: { type: 'string' } });
  expect(at('origin.vault.token')).toMatchObject({ type: 'string', writeOnly: true });
  expect(at('origin.numWorkers')?.anyOf).toMatchObject([{ type: 'integer', minimum: 1 }, { const: 'auto' }]);
});

it('has a pattern for durations that takes Go durations only', () => {
  const pattern = new RegExp(String(at('origin.tick')?.pattern));
  for (const good of ['90s', '1h2m3s', '1.5h', '.5s', '250ms']) expect(good).toMatch(pattern);
  for (const bad of ['10', '1d', '10 s', '', '10S']) expect(bad).not.toMatch(pattern);
});

it('demands nothing that may come from elsewhere, allows $schema, and refuses unknown keys', () => {
  const required: string[][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('required' in node) required.push(node.required as string[]);
    for (const child of Object.values(node)) visit(child);
  };
  visit(schema);
  // Of the transforms of destination, and of each of the destinations.
  expect(required).toEqual([
    ['from', 'to'],
    ['from', 'to'],
  ]);
  expect(schema.properties?.$schema).toMatchObject({ type: 'string' });
  expect(schema.additionalProperties).toBe(false);
});
