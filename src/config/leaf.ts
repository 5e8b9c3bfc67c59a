import * as z from 'zod';
import { asVsyncError, type ErrorCode } from '../base/errors.ts';
import { Secret } from '../base/secret.ts';
import { maxDurationMs, parseDuration, suggestDuration } from './duration.ts';
import type { Grammar } from './grammars.ts';

/** How the text of a key is read. */
export type KeyKind =
  | 'string'
  | 'secret'
  | 'int'
  | 'number'
  | 'ratio'
  | 'boolean'
  | 'list'
  | 'duration'
  | 'enum'
  | 'transforms';

/** Who has a key: Go vsync's documentation, only its code, or nobody before. */
export type Provenance = 'documented' | 'code' | 'new';

/** What a leaf of the schema says of itself beside its type, description and default. */
export interface LeafFacts {
  readonly kind: KeyKind;
  readonly from: Provenance;
  /** Only the process of that side's own role reads it (`origin.tick` means nothing to a destination). */
  readonly ownRoleOnly?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** Values of an enum. */
  readonly values?: readonly string[];
  /** Words that a numeric key takes as well. */
  readonly words?: readonly string[];
  /** The value names a file or a folder, relative to the working directory. */
  readonly path?: 'file' | 'directory' | 'secret';
  /** What has to be loaded before a value can be read. */
  readonly grammar?: Grammar;
  /** An empty text is refused; elsewhere it means "not set", as in Go vsync. */
  readonly emptyRefused?: boolean;
}

/** Where and by whom: the part of the facts that each key gives. */
export type LeafOptions = Pick<LeafFacts, 'from' | 'ownRoleOnly'>;

/** The facts of each leaf of the schema. */
export const leafFacts = z.registry<LeafFacts, z.core.$ZodType>();

/** Durations are numbers of milliseconds; the brand lets the typed configuration call them `...Ms`. */
declare const unit: unique symbol;
export type Milliseconds = number & { readonly [unit]: 'ms' };

/** Registers the facts of a leaf. Wrap the result (`.optional()`, `.prefault()`), never clone it. */
export function leaf<T extends z.ZodType>(schema: T, description: string, facts: LeafFacts): T {
  // Not `describe()`, which returns a copy: every start would pay for it.
  z.globalRegistry.add(schema, { description });
  leafFacts.add(schema, facts);
  return schema;
}

/** A text; empty means not set. */
export function text(description: string, options: LeafOptions) {
  return leaf(z.string().min(1), description, { kind: 'string', ...options });
}

/** The name of a file or folder. */
export function path(description: string, kind: 'file' | 'directory' | 'secret', options: LeafOptions) {
  return leaf(z.string().min(1), description, { kind: 'string', path: kind, ...options });
}

/** A text that is never printed. */
export function secret(description: string, options: LeafOptions) {
  const schema = z.string().transform((value, ctx) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get into a header
    if (!/[\x00-\x1f\x7f]/.test(value)) return new Secret(value);
    return refuse(
      ctx,
      'holds a line break or another control character',
      'give the secret alone, on one line',
    );
  });
  return leaf(schema, description, { kind: 'secret', ...options });
}

/** true or false. */
export function boolean(description: string, options: LeafOptions) {
  return leaf(z.boolean(), description, { kind: 'boolean', ...options });
}

/** A whole number. */
export function int(description: string, bounds: { min: number; max: number }, options: LeafOptions) {
  return leaf(z.int().min(bounds.min).max(bounds.max), description, { kind: 'int', ...bounds, ...options });
}

/** A whole number or the word `auto`. */
export function intOrAuto(description: string, bounds: { min: number; max: number }, options: LeafOptions) {
  const schema = z.union([z.int().min(bounds.min).max(bounds.max), z.literal('auto')]);
  return leaf(schema, description, { kind: 'int', words: ['auto'], ...bounds, ...options });
}

/** Any number. */
export function number(description: string, bounds: { min: number; max: number }, options: LeafOptions) {
  return leaf(z.number().min(bounds.min).max(bounds.max), description, {
    kind: 'number',
    ...bounds,
    ...options,
  });
}

/** A share: a number from 0 to 1, or a percentage as text (`10%`). */
export function ratio(description: string, options: LeafOptions) {
  const schema = z.union([z.number(), z.string().regex(/^\d+(\.\d+)?%$/)]).transform((value, ctx) => {
    const share = typeof value === 'number' ? value : Number.parseFloat(value) / 100;
    if (share >= 0 && share <= 1) return share;
    const percent =
      share > 1 && share <= 100 && typeof value === 'number' ? `, ${value} % is "${value}%"` : '';
    return refuse(ctx, 'must be a share from 0 to 1', `a tenth is 0.1 or "10%"${percent}`);
  });
  return leaf(schema, description, { kind: 'ratio', min: 0, max: 1, ...options });
}

/** One of some words. */
export function oneOf<const T extends readonly [string, ...string[]]>(
  description: string,
  values: T,
  options: LeafOptions,
) {
  return leaf(z.enum(values), description, { kind: 'enum', values, ...options });
}

/** A Go duration; `zero`: 0 is allowed. */
export function duration(description: string, options: LeafOptions & { zero?: boolean }) {
  const { zero = false, ...facts } = options;
  const schema = z.string().transform((value, ctx): Milliseconds => {
    const ms = parseDuration(value);
    if (ms !== undefined && (ms > 0 || (zero && ms === 0)) && ms <= maxDurationMs) return ms as Milliseconds;
    const like = suggestDuration(value);
    const hint = `write it like ${like === undefined ? '"90s" or "1h30m"' : `"${like}"`}`;
    if (ms !== undefined && ms > maxDurationMs)
      return refuse(ctx, 'must be 596h or less', 'for longer intervals use cron');
    if (ms !== undefined) return refuse(ctx, `must be more than 0${zero ? ', or 0' : ''}`, hint);
    if (value === '') return refuse(ctx, 'is empty, not a duration', hint);
    return refuse(ctx, /^[\d.]+$/.test(value) ? 'needs a unit' : 'is not a duration', hint);
  });
  return leaf(schema, description, { kind: 'duration', min: zero ? 0 : 1, max: maxDurationMs, ...facts });
}

/** A text that `read` turns into a value; what `read` throws or refuses becomes the problem. */
export function parsedText<T>(
  description: string,
  read: (value: string, ctx: z.RefinementCtx<string>) => T,
  options: LeafOptions & Pick<LeafFacts, 'emptyRefused' | 'grammar'>,
) {
  return leaf(z.string().transform(read), description, { kind: 'string', ...options });
}

interface RefusalDetails {
  readonly code?: ErrorCode;
  /** Which part of the value, say the third mount. */
  readonly path?: PropertyKey[];
  readonly detail?: string | undefined;
}

/** What a custom issue carries beside its message. */
export interface RefusalParams {
  readonly hint: string | undefined;
  readonly code: ErrorCode | undefined;
  readonly detail: string | undefined;
}

/** Adds a problem to a value that is being read, and gives what `transform` must then return. */
export function refuse(
  ctx: z.RefinementCtx,
  message: string,
  hint?: string,
  more: RefusalDetails = {},
): never {
  ctx.issues.push({
    code: 'custom',
    message,
    input: undefined,
    path: more.path ?? [],
    params: { hint, code: more.code, detail: more.detail } satisfies RefusalParams,
  });
  return z.NEVER;
}

/** Adds what `error` says as a problem. */
export function refuseWith(ctx: z.RefinementCtx, error: unknown, path: PropertyKey[] = []): void {
  const { message, why, hint, code } = asVsyncError(error);
  refuse(ctx, message, hint, { code, path, detail: why });
}
