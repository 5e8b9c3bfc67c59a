import type { Config, Draft, Role } from './config.ts';
import { keySpecs } from './keys.ts';

/** The values of keys, nested and under their names in code; groups are there even when empty, a destination only if `role` has one. */
export function assemble(values: ReadonlyMap<string, unknown>, role: Role): Draft {
  const root: Record<string, unknown> = {};
  for (const { key, side, typedPath } of keySpecs) {
    if (side === 'destination' && role === 'origin') continue;
    let group = root;
    for (const name of typedPath.slice(0, -1)) {
      group[name] ??= {};
      group = group[name] as Record<string, unknown>;
    }
    const value = values.get(key);
    if (value !== undefined) group[typedPath.at(-1) ?? ''] = value;
  }
  return root as Draft;
}

/** A draft without problems as configuration: the schema that `Config` is inferred from has checked every leaf of it. */
export function configFrom(draft: Draft, role: Role): Config {
  return { ...draft, role, name: draft.name ?? role } as Config;
}
