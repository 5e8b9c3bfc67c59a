import { parseDurationSeconds } from './go-time.ts';
import { type Json, type JsonObject, sortUtf8 } from './json.ts';
import {
  type LogicalRequest,
  type LogicalResponse,
  type Operation,
  plainError,
  unsupportedOperation,
  unsupportedPath,
} from './logical.ts';
import {
  showGo,
  weakBool,
  weakInt,
  weakIntList,
  weakMap,
  weakString,
  weakStringList,
} from './weak-decode.ts';

/**
 * Paths with typed fields, as Vault's backends declare them: routing inside a mount, conversion of fields,
 * `create` versus `update`, and the warnings about fields that a path does not know.
 */

type FieldType =
  | 'string'
  | 'int'
  | 'bool'
  | 'map'
  | 'duration'
  | 'signedDuration'
  | 'intList'
  | 'stringList'
  | 'commaStrings';
export type FieldTypes = Readonly<Record<string, FieldType>>;

/** The fields of one request: those of the path win over those of body or query. */
export class Fields {
  readonly #raw: JsonObject;
  readonly #types: FieldTypes;

  constructor(raw: JsonObject, types: FieldTypes) {
    this.#raw = raw;
    this.#types = types;
  }

  /** Whether the client sent the field. A duration of `null` counts as not sent. */
  has(name: string): boolean {
    const isDuration = this.#types[name] === 'duration' || this.#types[name] === 'signedDuration';
    return this.#raw.has(name) && !(isDuration && this.#raw.get(name) === null);
  }

  string(name: string): string {
    return weakString(this.#get(name));
  }
  int(name: string): number {
    return weakInt(this.#get(name));
  }
  bool(name: string): boolean {
    return weakBool(this.#get(name));
  }
  map(name: string): JsonObject | null {
    return weakMap(this.#get(name));
  }
  seconds(name: string): number {
    return parseDurationSeconds(this.#get(name));
  }
  intList(name: string): number[] {
    return weakIntList(this.#get(name));
  }
  strings(name: string): string[] {
    return weakStringList(this.#get(name), this.#types[name] === 'commaStrings');
  }

  #get(name: string): Json {
    return this.#raw.get(name) ?? null;
  }

  /** Throws where a field cannot be converted. The text holds the value that was sent, as Vault's does. */
  validate(): void {
    for (const [name, value] of this.#raw) {
      const type = Object.hasOwn(this.#types, name) ? this.#types[name] : undefined;
      if (type === undefined) continue;
      try {
        convert(type, value);
      } catch (error) {
        const why = (error as Error).message;
        throw new Error(`error converting input ${showGo(value)} for field ${JSON.stringify(name)}: ${why}`);
      }
    }
  }
}

function convert(type: FieldType, value: Json): unknown {
  switch (type) {
    case 'string':
      return weakString(value);
    case 'int':
      return weakInt(value);
    case 'bool':
      return weakBool(value);
    case 'map':
      return weakMap(value);
    case 'intList':
      return weakIntList(value);
    case 'stringList':
    case 'commaStrings':
      return weakStringList(value, type === 'commaStrings');
    case 'signedDuration':
      return parseDurationSeconds(value);
    case 'duration': {
      const seconds = parseDurationSeconds(value);
      if (seconds < 0) throw new Error(`cannot provide negative value '${seconds}'`);
      return seconds;
    }
  }
}

export type Handler = (fields: Fields, request: LogicalRequest) => LogicalResponse | undefined;

/** One path of a backend. */
export interface BackendPath {
  /** Matches the whole path inside the mount; its named groups become fields. */
  readonly pattern: RegExp;
  readonly fields: FieldTypes;
  /** Fields that are not declared are data and not worth a warning (KV v1). */
  readonly takesAnything?: boolean;
  /** Tells `create` from `update`; without it every write is an update. */
  readonly exists?: (fields: Fields) => boolean;
  readonly operations: Partial<Record<Operation, Handler>>;
}

/** What is mounted: secrets engines, the system backend and the auth methods. */
export interface Backend {
  /** Whether a write meets something that exists, or `undefined` if the path cannot tell. Throws 400 for a field it cannot convert. */
  exists(request: LogicalRequest): boolean | undefined;
  handle(request: LogicalRequest): LogicalResponse | undefined;
}

/** A backend made of `paths`, the first match wins. Request paths are relative to the mount. */
export function backendOf(paths: readonly BackendPath[]): Backend {
  return {
    exists(request) {
      const route = routeTo(paths, request);
      if (route?.path.exists === undefined) return undefined;
      validated(route.fields, '');
      return route.path.exists(route.fields);
    },
    handle(request) {
      const route = routeTo(paths, request);
      if (route === undefined) throw unsupportedPath();
      const { path, fields, captures } = route;
      const handler =
        path.operations[request.operation] ??
        (request.operation === 'create' ? path.operations.update : undefined);
      if (handler === undefined) throw unsupportedOperation();
      validated(fields, 'Field validation failed: ');
      const response = handler(fields, request);
      return response && withWarnings(response, path, request.data, captures);
    },
  };
}

function validated(fields: Fields, prefix: string): void {
  try {
    fields.validate();
  } catch (error) {
    throw plainError(400, `${prefix}${(error as Error).message}`);
  }
}

interface Route {
  readonly path: BackendPath;
  readonly fields: Fields;
  readonly captures: Readonly<Record<string, string>>;
}

function routeTo(paths: readonly BackendPath[], request: LogicalRequest): Route | undefined {
  for (const path of paths) {
    const match = path.pattern.exec(request.path);
    if (match === null) continue;
    const captures = match.groups ?? {};
    return {
      path,
      captures,
      fields: new Fields(new Map([...request.data, ...Object.entries(captures)]), path.fields),
    };
  }
  return undefined;
}

/** Adds what Vault says of fields that it ignored, or that the path of the request replaced. A 404 with a body gets no such warning. */
function withWarnings(
  response: LogicalResponse,
  path: BackendPath,
  data: JsonObject,
  captures: Readonly<Record<string, string>>,
): LogicalResponse {
  if (response.notFound) return response;
  const warnings = [...(response.warnings ?? [])];
  const ignored = path.takesAnything
    ? []
    : [...data.keys()].filter((name) => !Object.hasOwn(path.fields, name));
  const replaced = Object.keys(captures).filter((name) => data.get(name) != null);
  if (ignored.length > 0) {
    warnings.push(`Endpoint ignored these unrecognized parameters: [${sortUtf8(ignored).join(' ')}]`);
  }
  if (replaced.length > 0) {
    warnings.push(
      `Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [${replaced.join(' ')}]`,
    );
  }
  return { ...response, warnings };
}
