import { locate, type Mount } from '../../sync/mount-path.ts';
import { pathFilter } from '../../sync/path-filter.ts';
import { capabilities } from '../../vault/mounts.ts';
import { counted } from '../terminal/text-style.ts';
import type { DoctorContext, DoctorSide } from './context.ts';
import type { Check } from './report.ts';

/**
 * The rights that a side's process needs on a mount against those of its token: at the top, and on some of the real paths, since policies
 * may give them for parts of the mount only, and may take them away for others.
 */

/** What is needed on one mount, and where Vault is asked about it. */
interface Needs {
  /** `secret/data/`: the part of the mount that the process works on. */
  readonly part: string;
  /** Where the walk, or the part, begins; asked with the trailing slash. */
  readonly tops: readonly string[];
  /** Some real paths in this part. */
  readonly samples: readonly string[];
  /** Capabilities needed at the tops. */
  readonly atTop: readonly string[];
  /** And on the path of each secret. */
  readonly onPaths: readonly string[];
}

type Granted = ReadonlyMap<string, readonly string[]>;

/** Paths asked about; all at once, in one request. */
const maxSamples = 100;

/** `paths`: data paths on this mount that the process works on. */
export async function checkRights(
  context: DoctorContext,
  side: DoctorSide,
  mount: Mount,
  paths: readonly string[],
): Promise<void> {
  const { report, scope } = context;
  const needs = needsOf(context, side, mount, paths);
  const granted = await report.attempt('rights', async () => {
    const asked = [...needs.tops, ...needs.samples];
    return (await capabilities(side.vault.client, asked, scope)) ?? 'refused';
  });
  if (granted === 'refused') report.skip('rights', `on ${mount}: the token may not ask for them`);
  else if (granted !== undefined)
    report.add(walkCheck(needs, granted) ?? pathsCheck(needs, granted) ?? topCheck(needs, granted));
}

function needsOf(
  { config }: DoctorContext,
  { side }: DoctorSide,
  mount: Mount,
  paths: readonly string[],
): Needs {
  const roots = pathFilter(config.origin.include, config.origin.exclude).roots(mount);
  const at = (name: 'metadata' | 'data', from: readonly string[]) => {
    const part = `${mount}${name}/`;
    const samples = sampleOf(paths).map((path) => `${part}${locate(path, [mount])?.key}`);
    return { part, tops: from.map((root) => `${part}${root}`), samples };
  };
  if (config.role === 'origin')
    return { ...at('metadata', roots), atTop: ['list', 'read'], onPaths: ['read'] };
  if (side === 'origin') return { ...at('data', roots), atTop: ['read'], onPaths: ['read'] };
  const write = ['create', 'update', 'read', ...(config.ignoreDeletes ? [] : ['delete'])];
  return { ...at('data', ['']), atTop: write, onPaths: write };
}

/** A scan lists from the top down; `undefined` where there is none, or it may. */
function walkCheck({ tops, atTop, part }: Needs, granted: Granted): Check | undefined {
  if (!atTop.includes('list')) return undefined;
  const closed = tops.find((top) => lacking(granted, top, ['list']).length > 0);
  if (closed === undefined) return undefined;
  return {
    status: 'fail',
    topic: 'rights',
    message: `no "list" on ${closed}, where the scan begins`,
    code: 'VAULT_LIST_DENIED',
    fix: `${rule(part, atTop)}; for a part of the mount, name it in origin.include`,
  };
}

/** What real paths tell; `undefined` without any, and where the top tells the same. */
function pathsCheck({ samples, onPaths, part, tops, atTop }: Needs, granted: Granted): Check | undefined {
  const denied = samples.filter((path) => lacking(granted, path, onPaths).length > 0);
  const [first] = denied;
  const asked = `${counted(samples.length, 'path')} asked about`;
  if (first !== undefined) {
    const missing = lacking(granted, first, onPaths).join(', ');
    const message = `no ${missing} on ${denied.length} of ${asked}; the first is ${first}`;
    return { status: 'fail', topic: 'rights', message, code: 'VAULT_FORBIDDEN', fix: rule(part, atTop) };
  }
  const topIsEnough = tops.every((top) => lacking(granted, top, atTop).length === 0);
  if (samples.length === 0 || topIsEnough) return undefined;
  return {
    status: 'pass',
    topic: 'rights',
    message: `${onPaths.join(', ')} on each of ${asked}, below ${part}`,
  };
}

function topCheck({ tops, atTop, part }: Needs, granted: Granted): Check {
  const missing = [...new Set(tops.flatMap((top) => lacking(granted, top, atTop)))];
  if (missing.length === 0)
    return { status: 'pass', topic: 'rights', message: `${atTop.join(', ')} on ${part}` };
  // A policy for parts of a mount gives nothing at its top.
  const nothing = tops.every((top) => granted.get(top)?.includes('deny') === true);
  return {
    status: nothing ? 'warn' : 'fail',
    topic: 'rights',
    message: `no ${missing.join(', ')} on ${part}${nothing ? '; a policy for parts of it would not show here' : ''}`,
    code: 'VAULT_FORBIDDEN',
    fix: rule(part, atTop),
  };
}

function lacking(granted: Granted, path: string, needed: readonly string[]): string[] {
  const has = granted.get(path) ?? [];
  return has.includes('root') ? [] : needed.filter((capability) => !has.includes(capability));
}

function rule(part: string, needed: readonly string[]): string {
  return `path "${part}*" { capabilities = [${needed.map((name) => `"${name}"`).join(', ')}] }`;
}

/** Some of many, spread over all of them. */
function sampleOf(paths: readonly string[]): string[] {
  const step = Math.max(1, paths.length / maxSamples);
  const sorted = [...paths].sort();
  return Array.from(
    { length: Math.min(paths.length, maxSamples) },
    (_, i) => sorted[Math.floor(i * step)] as string,
  );
}
