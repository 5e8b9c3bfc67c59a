/** Holds data to a JSON Schema, in the part of JSON Schema 2020-12 that the schemas of this program's own output are written in. */

export interface JsonSchema {
  readonly $schema?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly description?: string;
  readonly type?: TypeName | readonly TypeName[] | string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

type TypeName = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';

/** The first thing that is wrong, with its place, or `undefined`. What is wrong is not quoted. `root` has the `$defs`. */
export function schemaProblem(
  value: unknown,
  schema: JsonSchema,
  root: JsonSchema,
  at = '',
): string | undefined {
  const place = at === '' ? 'the document' : at;
  if (schema.$ref !== undefined) {
    const referenced = root.$defs?.[schema.$ref.slice('#/$defs/'.length)] ?? {};
    return schemaProblem(value, referenced, root, at);
  }
  const { type, enum: words, const: word, pattern, minimum } = schema;
  const types = type === undefined ? [] : [type].flat();
  if (types.length > 0 && !types.some((name) => isOf(value, name)))
    return `${place} is not of type ${types.join(' or ')}`;
  if (words !== undefined && !words.some((each) => each === value))
    return `${place} is not one of ${words.join(', ')}`;
  if (word !== undefined && value !== word) return `${place} is not ${word}`;
  if (pattern !== undefined && typeof value === 'string' && !new RegExp(pattern, 'u').test(value))
    return `${place} is not of the form ${pattern}`;
  if (minimum !== undefined && typeof value === 'number' && value < minimum)
    return `${place} is less than ${minimum}`;
  if (Array.isArray(value)) return listProblem(value, schema, root, at);
  if (typeof value === 'object' && value !== null) return objectProblem(value, schema, root, at);
  return undefined;
}

function listProblem(
  list: readonly unknown[],
  schema: JsonSchema,
  root: JsonSchema,
  at: string,
): string | undefined {
  const { items, prefixItems = [], minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema;
  if (list.length < minItems || list.length > maxItems) return `${at} has ${list.length} entries`;
  for (const [i, item] of list.entries()) {
    const problem = schemaProblem(item, prefixItems[i] ?? items ?? {}, root, `${at}[${i}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function objectProblem(value: object, schema: JsonSchema, root: JsonSchema, at: string): string | undefined {
  const prefix = at === '' ? '' : `${at}.`;
  const missing = schema.required?.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${prefix}${missing} is missing`;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (!Object.hasOwn(value, name)) continue;
    const problem = schemaProblem(
      (value as Readonly<Record<string, unknown>>)[name],
      property,
      root,
      `${prefix}${name}`,
    );
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isOf(value: unknown, type: string): boolean {
  switch (type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isSafeInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}
