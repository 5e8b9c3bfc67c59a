import { extname } from 'node:path';
import { type AliasUse, assignmentsOf } from './assign.ts';
import type { Document, DocumentNode, MapNode } from './document.ts';
import { migrateJson } from './formats/json-edit.ts';
import { findGroup, findKey } from './keys.ts';
import type { Edited, Move } from './move.ts';
import type { Problem } from './problem.ts';
import { parseConfigText } from './read-file.ts';

export interface Migrated {
  /** The new text; the old one if nothing had to change. */
  readonly text: string;
  /** What it is written in: HCL becomes YAML, all else stays. */
  readonly format: 'json' | 'yaml';
  /** What was changed, for a person: `origin.dc -> origin.consul.dc`. */
  readonly changes: readonly string[];
  /** Why it could not be done, or what a person must look at. */
  readonly problems: readonly Problem[];
}

/**
 * `config migrate`: a configuration file in today's form. Old keys get their new names, keys that nothing reads are removed, HCL becomes
 * YAML. JSON keeps its formatting, and YAML its comments.
 */
export async function migrateConfig(
  bytes: Uint8Array,
  file: string,
): Promise<Migrated | { readonly problems: readonly Problem[] }> {
  const parsed = await parseConfigText(bytes, file);
  if ('problem' in parsed) return { problems: [parsed.problem] };
  const { document, text } = parsed;
  const { aliasUses, problems: all } = assignmentsOf(document, file, 0);
  const problems = all.filter(({ severity }) => severity === 'error');
  if (problems.length > 0) return { problems };
  const moves = aliasUses.map((use) => moveFor(use, document));
  if (document.format === 'json') {
    return { ...done(migrateJson(text, moves, extname(file) !== '.json'), file), format: 'json' };
  }
  const { migrateYaml, yamlFrom } = await import('./formats/yaml-edit.ts');
  if (document.format === 'yaml') return { ...done(migrateYaml(text, moves), file), format: 'yaml' };
  const { changes, ...rest } = done(migrateYaml(yamlFrom(document.root), moves), file);
  const hasComments = /#|\/\/|\/\*/.test(text);
  return {
    ...rest,
    changes: [`HCL -> YAML${hasComments ? ' (comments are not kept)' : ''}`, ...changes],
    format: 'yaml',
  };
}

function done({ text, skipped, moved }: Edited, file: string): Omit<Migrated, 'format'> {
  const problems = skipped.map(
    ({ describe }): Problem => ({
      severity: 'warning',
      code: 'CONFIG_DEPRECATED_KEY',
      place: file,
      message: `${describe}: the key is part of an anchor or a merge`,
      hint: 'change it by hand',
    }),
  );
  return { text, changes: moved.map(({ describe }) => describe), problems };
}

function moveFor({ alias, path }: AliasUse, { root }: Document): Move {
  const targets = alias.to.filter((key) => isWanted(key, alias.to, root));
  const describe = `${alias.from} -> ${targets.length === 0 ? 'removed' : targets.join(' and ')}`;
  const free = targets.filter((key) => !isThere(root, key));
  return { from: path, to: free.map((key) => placeFor(root, key.split('.'))), describe };
}

/** A key that stood for both sides goes to those that the file has. */
function isWanted(key: string, all: readonly string[], root: MapNode | undefined): boolean {
  if (all.length < 2) return true;
  const present = all.filter((each) => entryOf(root, each.split('.')[0] ?? '') !== undefined);
  return present.length === 0 || present.includes(key);
}

/** The keys that lead to `path`, reusing the spelling of groups that the file has. */
function placeFor(node: DocumentNode | undefined, path: readonly string[]): string[] {
  const [name, ...rest] = path;
  if (name === undefined) return [];
  const entry = entryOf(node, name);
  return [entry?.key ?? name, ...placeFor(entry?.value, rest)];
}

function entryOf(node: DocumentNode | undefined, name: string) {
  if (node?.kind !== 'map') return undefined;
  return node.entries.find(({ key }) => key.toLowerCase() === name.toLowerCase());
}

/** Whether a document sets a key in whatever spelling. */
function isThere(node: DocumentNode | undefined, key: string, prefix = ''): boolean {
  if (node?.kind !== 'map') return false;
  return node.entries.some((entry) => {
    const dotted = `${prefix}${entry.key}`;
    if (findKey(dotted)?.key === key) return true;
    return findGroup(dotted) !== undefined && isThere(entry.value, key, `${dotted}.`);
  });
}
