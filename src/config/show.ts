import { Secret, withoutTokens } from '../base/secret.ts';
import type { Config } from './config.ts';
import { formatDuration } from './duration.ts';
import { keySpecs } from './keys.ts';
import { placeOf, type Source } from './source.ts';

/** One line of `config show`. */
export interface ShownKey {
  readonly key: string;
  /** As a file would have it; secrets as their prefix and the beginning of a hash; `undefined` = not set. */
  readonly value: string | undefined;
  /** `default`, `flag --tick`, `env VSYNC_NUMBUCKETS`, `dest.json:12:5`; `undefined` = not set. */
  readonly source: string | undefined;
}

/** The effective configuration: every key that the role of `config` reads, with its value and where that comes from. */
export function showConfig(config: Config, sources: ReadonlyMap<string, Source>): ShownKey[] {
  return keySpecs
    .filter(({ readBy }) => readBy.includes(config.role))
    .map(({ key, kind, typedPath }) => {
      const value = typedPath.reduce<unknown>(
        (at, name) => (at as Record<string, unknown> | undefined)?.[name],
        config,
      );
      const source = sources.get(key) ?? (value === undefined ? undefined : { kind: 'default' as const });
      const text = kind === 'duration' && typeof value === 'number' ? formatDuration(value) : printed(value);
      return { key, value: text && withoutTokens(text), source: source && placeOf(source) };
    });
}

function printed(value: unknown): string | undefined {
  if (typeof value === 'string') return value.startsWith('-----BEGIN ') ? '(PEM text)' : value;
  if (value === undefined) return undefined;
  if (value instanceof Secret) return value.fingerprint();
  return JSON.stringify(value, ['name', 'from', 'to']);
}
