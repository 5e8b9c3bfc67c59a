import type { Side } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Milliseconds } from './leaf.ts';
import type { SchemaOutput } from './schema.ts';

/** The two roles are named as the two sides. */
export type Role = Side;

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : S;

type TypedName<Key extends string, Value> = [Value] extends [Milliseconds | undefined]
  ? `${CamelCase<Key>}Ms`
  : CamelCase<Key>;

/** The schema's output in the names of code: `token_file` is `tokenFile`, and the duration `tick` is `tickMs`. */
type Typed<T> = T extends Milliseconds
  ? number
  : T extends Secret | readonly unknown[] | string | number | boolean | undefined
    ? T
    : { readonly [K in keyof T as TypedName<K & string, T[K]>]: Typed<T[K]> };

/** The keys of `origin.`. */
export type OriginConfig = Typed<SchemaOutput['origin']>;

/** The keys of `destination.`. */
export type DestinationConfig = Typed<SchemaOutput['destination']>;

/** `<side>.vault.*` of either side. */
export type VaultConfig = OriginConfig['vault'];

/** `<side>.consul.*` of either side. */
export type ConsulConfig = OriginConfig['consul'];

/** `<side>.vault.tls.*` and `<side>.consul.tls.*`. */
export type TlsConfig = VaultConfig['tls'];

type Shared = Typed<Omit<SchemaOutput, 'origin' | 'destination' | 'name'>> & { readonly name: string };

/**
 * A valid configuration, for the role of the process that reads it. A destination needs both sides; an origin has no destination.
 * Durations are milliseconds, names of files absolute, addresses `scheme://host:port`, `mounts` and `syncPath` end in a slash.
 */
export type Config =
  | (Shared & { readonly role: 'origin'; readonly origin: OriginConfig })
  | (Shared & {
      readonly role: 'destination';
      readonly origin: OriginConfig;
      readonly destination: DestinationConfig;
    });

type DeepPartial<T> = T extends Secret | readonly unknown[] | string | number | boolean | undefined
  ? T
  : { readonly [K in keyof T]?: DeepPartial<T[K]> };

/** A configuration of which some values are missing or wrong: what cross-field rules look at. */
export type Draft = DeepPartial<Shared & { origin: OriginConfig; destination: DestinationConfig }>;

/** The name of one key in code. */
export function typedName(key: string, isDuration: boolean): string {
  const camel = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return isDuration ? `${camel}Ms` : camel;
}
