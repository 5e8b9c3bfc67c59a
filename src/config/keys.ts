import * as z from 'zod';
import type { Side } from '../base/errors.ts';
import { type Role, typedName } from './config.ts';
import { type LeafFacts, leafFacts } from './leaf.ts';
import { configSchema } from './schema.ts';

/** One configuration key, as derived from its leaf of the schema. */
export interface KeySpec extends LeafFacts {
  /** Canonical dotted spelling: `origin.vault.approle.role_id`. */
  readonly key: string;
  /** The same for both sides at once where both have it: `*.vault.approle.role_id`. */
  readonly pattern: string;
  /** Where the value is in a `Config`: `['origin', 'tickMs']`. */
  readonly typedPath: readonly string[];
  readonly side: Side | undefined;
  /** The roles whose process uses the key. */
  readonly readBy: readonly Role[];
  /** `VSYNC_ORIGIN_VAULT_APPROLE_ROLE_ID` */
  readonly env: string;
  /** `--origin.vault.approle.role_id` */
  readonly flag: string;
  readonly description: string;
  /** As it would be written in a file; `undefined` = none. */
  readonly default: unknown;
  readonly required: boolean;
  /** Of a secret: the key that names a file to read it from. Its variable is the `..._FILE` twin. */
  readonly fileKey?: string;
  /** Reads and checks one value. */
  readonly schema: z.ZodType;
}

/** A group of keys, such as `origin.vault`. */
export interface GroupSpec {
  readonly group: string;
  readonly description: string;
}

const walked = walk(configSchema, []);

/** Every key, in the order of the schema. */
export const keySpecs: readonly KeySpec[] = walked.keys;

/** Every group, in the order of the schema. */
export const groupSpecs: readonly GroupSpec[] = walked.groups;

const byLowerCase = new Map(keySpecs.map((spec) => [spec.key.toLowerCase(), spec]));
const groupsByLowerCase = new Map(groupSpecs.map((spec) => [spec.group.toLowerCase(), spec]));

/** The key of that spelling in any case. */
export function findKey(dotted: string): KeySpec | undefined {
  return byLowerCase.get(dotted.toLowerCase());
}

/** The canonical spelling of a group given in any case. */
export function findGroup(dotted: string): string | undefined {
  return groupsByLowerCase.get(dotted.toLowerCase())?.group;
}

/** The key of that canonical spelling. Throws for one that is not in the schema, which is a defect of the caller. */
export function keySpec(key: string): KeySpec {
  const spec = byLowerCase.get(key.toLowerCase());
  if (spec === undefined) throw new Error(`no such configuration key: ${key}`);
  return spec;
}

/** The environment name of a dotted key (Go vsync's rule): upper case, dots to underscores, camel case as it is. */
export function envName(dotted: string): string {
  return `VSYNC_${dotted.replaceAll('.', '_').toUpperCase()}`;
}

function walk(schema: z.ZodObject, prefix: readonly string[]): { keys: KeySpec[]; groups: GroupSpec[] } {
  const keys: KeySpec[] = [];
  const groups: GroupSpec[] = [];
  for (const [name, child] of Object.entries(schema.shape)) {
    const path = [...prefix, name];
    if (child instanceof z.ZodObject) {
      groups.push({ group: path.join('.'), description: child.description ?? '' });
      const inner = walk(child, path);
      keys.push(...inner.keys);
      groups.push(...inner.groups);
    } else {
      keys.push(keyFrom(path, child as z.ZodType, `${name}_file` in schema.shape));
    }
  }
  return { keys, groups };
}

function keyFrom(path: readonly string[], schema: z.ZodType, hasFileTwin: boolean): KeySpec {
  const { inner, fallback, required } = unwrap(schema);
  const facts = leafFacts.get(inner);
  if (facts === undefined) throw new Error(`leaf without facts: ${path.join('.')}`);
  const key = path.join('.');
  const side = path[0] === 'origin' || path[0] === 'destination' ? path[0] : undefined;
  const last = path[path.length - 1] ?? '';
  return {
    ...facts,
    key,
    pattern: side !== undefined && isOnBothSides(path) ? ['*', ...path.slice(1)].join('.') : key,
    typedPath: [...path.slice(0, -1), typedName(last, facts.kind === 'duration')],
    side,
    readBy: readers(side, facts),
    env: envName(key),
    flag: `--${key}`,
    description: inner.description ?? '',
    default: fallback,
    required,
    ...(hasFileTwin && { fileKey: `${key}_file` }),
    schema,
  };
}

function readers(side: Side | undefined, facts: LeafFacts): readonly Role[] {
  if (side === 'destination') return ['destination'];
  return side === 'origin' && facts.ownRoleOnly === true ? ['origin'] : ['origin', 'destination'];
}

function isOnBothSides(path: readonly string[]): boolean {
  const [side, ...rest] = path;
  let schema: unknown = configSchema.shape[side === 'origin' ? 'destination' : 'origin'];
  for (const name of rest) schema = schema instanceof z.ZodObject ? schema.shape[name] : undefined;
  return schema !== undefined;
}

function unwrap(schema: z.ZodType): { inner: z.ZodType; fallback: unknown; required: boolean } {
  if (schema instanceof z.ZodPrefault) {
    return { inner: schema.def.innerType as z.ZodType, fallback: schema.def.defaultValue, required: false };
  }
  if (schema instanceof z.ZodOptional) {
    return { inner: schema.def.innerType as z.ZodType, fallback: undefined, required: false };
  }
  return { inner: schema, fallback: undefined, required: true };
}
