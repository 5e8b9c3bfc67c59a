import type { ErrorCode } from '../base/errors.ts';
import { didYouMeanText } from './did-you-mean.ts';
import type { DocumentNode, Format, ScalarNode } from './document.ts';
import { parseJson } from './formats/json.ts';
import type { KeySpec } from './keys.ts';
import { quoted } from './problem.ts';
import type { Position } from './source.ts';

/**
 * Go vsync's conversions: what a file or a variable holds, to the type that the schema of a key takes. Bounds and grammar are the
 * schema's. Where Go reads nonsense as 0, false or something else without a word, this refuses.
 */

/** Something wrong with a value. `part` names the part of it: `[2].from`. */
export interface Fault {
  readonly severity: 'error' | 'warning';
  /** Where it is another than `CONFIG_BAD_VALUE`. */
  readonly code?: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly at?: Position | undefined;
  readonly part?: string;
}

/** Without `value`: not set, or faulty. */
export interface Coerced {
  readonly value?: unknown;
  readonly faults: readonly Fault[];
}

/** Converts the value of one key. */
export function coerce(spec: KeySpec, node: DocumentNode, format: Format): Coerced {
  switch (spec.kind) {
    case 'list':
      return coerceList(spec, node);
    case 'transforms':
      return coerceTransforms(spec, node, format);
    default:
      return node.kind === 'scalar' ? coerceScalar(spec, node, format) : fault(expected(spec, node), node);
  }
}

/** What a value must be, with what it is: `must be true or false (got "maybe")`. */
export function expected(spec: KeySpec, node: DocumentNode): string {
  return `must be ${expectation(spec)}${got(spec, node)}`;
}

/** ` (got X)`; nothing for a secret. */
export function got(spec: KeySpec, node: DocumentNode | undefined): string {
  if (node === undefined || spec.kind === 'secret') return '';
  if (node.kind !== 'scalar') return node.kind === 'map' ? ' (got keys)' : ' (got a list)';
  return ` (got ${typeof node.value === 'string' ? quoted(node.text) : quoted(node.text).slice(1, -1)})`;
}

function expectation(spec: KeySpec): string {
  const range = `from ${spec.min} to ${spec.max}`;
  switch (spec.kind) {
    case 'int':
      return [`a whole number ${range}`, ...(spec.words ?? []).map((word) => `"${word}"`)].join(' or ');
    case 'number':
      return `a number ${range}`;
    case 'ratio':
      return 'a share from 0 to 1, such as 0.1 or "10%"';
    case 'boolean':
      return 'true or false';
    case 'list':
      return 'a list of texts';
    case 'duration':
      return 'a duration such as "90s" or "1h30m"';
    case 'enum':
      return `one of ${spec.values?.join(', ')}`;
    case 'transforms':
      return 'a list of {name, from, to}';
    case 'string':
    case 'secret':
      return 'a text';
  }
}

function coerceScalar(spec: KeySpec, node: ScalarNode, format: Format): Coerced {
  const { text, value } = node;
  switch (spec.kind) {
    case 'boolean':
      return coerceBoolean(spec, node, format);
    case 'int':
    case 'number':
    case 'ratio':
      return coerceNumber(spec, node);
    case 'enum':
      return coerceEnum(spec, node);
    default:
      // An empty text counts as not set, as in Go vsync: `"token": ""` beside an AppRole is the AppRole.
      if (text === '' && spec.kind !== 'duration' && spec.emptyRefused !== true) return { faults: [] };
      return { value: typeof value === 'string' ? value : text, faults: [] };
  }
}

const goTrue = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const goFalse = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** A number counts in YAML only (Go vsync took the JSON number 1 for false); text as Go's ParseBool reads it. */
function coerceBoolean(spec: KeySpec, node: ScalarNode, format: Format): Coerced {
  const { value, text } = node;
  if (typeof value === 'boolean') return { value, faults: [] };
  if (typeof value === 'string' || format === 'yaml') {
    if (goTrue.has(text)) return { value: true, faults: [] };
    if (goFalse.has(text)) return { value: false, faults: [] };
  }
  return fault(expected(spec, node), node);
}

function coerceNumber(spec: KeySpec, node: ScalarNode): Coerced {
  const { value, text } = node;
  if (typeof value === 'number') return { value, faults: [] };
  if (typeof value === 'string') {
    const trimmed = text.trim();
    if (spec.words?.includes(trimmed.toLowerCase())) return { value: trimmed.toLowerCase(), faults: [] };
    if (spec.kind === 'ratio' && trimmed.endsWith('%')) return { value: trimmed, faults: [] };
    if (/^[+-]?(0|[1-9]\d{0,15})(\.\d{1,15})?$/.test(trimmed)) return { value: Number(trimmed), faults: [] };
    if (/^[+-]?0\w/.test(trimmed))
      return fault(expected(spec, node), node, 'write it in decimal, without leading zeros');
  }
  return fault(expected(spec, node), node);
}

/** Values in any case; for the log level also the names of Go's library and other common ones. */
const synonyms: Readonly<Record<string, string>> = {
  warning: 'warn',
  err: 'error',
  fatal: 'error',
  panic: 'error',
  information: 'info',
};

function coerceEnum(spec: KeySpec, node: ScalarNode): Coerced {
  const text = node.text.trim().toLowerCase();
  if (text === '') return { faults: [] };
  const values = spec.values ?? [];
  const synonym = synonyms[text];
  if (values.includes(text)) return { value: text, faults: [] };
  if (synonym !== undefined && values.includes(synonym)) return { value: synonym, faults: [] };
  return fault(expected(spec, node), node, didYouMeanText(text, values));
}

/** An array, or one text split at white space. Commas do not separate, as in Go vsync. */
function coerceList(spec: KeySpec, node: DocumentNode): Coerced {
  if (node.kind === 'map') return fault(expected(spec, node), node);
  if (node.kind === 'scalar') {
    const value = node.text.split(/\s+/).filter((part) => part !== '');
    const hint = 'commas do not separate; separate with spaces, or write a list in a file';
    const commas = node.text.replace(/\{[^}]*\}/g, '').includes(',');
    return {
      value,
      faults: commas
        ? [{ severity: 'warning', message: `holds a comma${got(spec, node)}`, hint, at: node.at }]
        : [],
    };
  }
  const faults: Fault[] = [];
  const value = node.items.map((item, i) => {
    if (item.kind === 'scalar' && item.value !== null && item.text !== '') return item.text;
    faults.push({
      severity: 'error',
      message: `must be a text${got(spec, item)}`,
      at: item.at,
      part: `[${i}]`,
    });
    return '';
  });
  return faults.length === 0 ? { value, faults } : { faults };
}

/** A list of maps; one map is a list of one. From a flag or variable, which Go has no way for: the same as JSON. */
function coerceTransforms(spec: KeySpec, node: DocumentNode, format: Format): Coerced {
  if (format === 'text' && node.kind === 'scalar') {
    const parsed = parseJson(`{"transforms":${node.text}\n}`, { comments: false });
    const inner = 'document' in parsed ? parsed.document.root?.entries[0]?.value : undefined;
    if (inner === undefined)
      return fault(
        'must be JSON here',
        node,
        'such as [{"name":"a","from":"^(?P<key>.+)$","to":"kv/data/key"}]',
      );
    return coerceTransforms(spec, inner, 'json');
  }
  if (node.kind === 'scalar') return fault(expected(spec, node), node);
  const items = node.kind === 'list' ? node.items : [node];
  const faults: Fault[] = [];
  const value = items.map((item, i) => coerceTransform(item, i, faults));
  return faults.some(({ severity }) => severity === 'error') ? { faults } : { value, faults };
}

function coerceTransform(item: DocumentNode, index: number, faults: Fault[]): Record<string, string> {
  const part = `[${index}]`;
  const rule: Record<string, string> = { name: `transform ${index + 1}` };
  if (item.kind !== 'map') {
    faults.push({ severity: 'error', message: 'must be a rule with name, from and to', at: item.at, part });
    return rule;
  }
  const seen = new Set<string>();
  for (const { key, at, value } of item.entries) {
    const name = key.toLowerCase();
    if (!['name', 'from', 'to'].includes(name)) {
      const hint = didYouMeanText(name, ['name', 'from', 'to']) ?? 'a rule has name, from and to';
      const message = 'holds a key that is not known';
      faults.push({ severity: 'warning', code: 'CONFIG_UNKNOWN_KEY', message, hint, at, part });
    } else if (seen.has(name)) {
      faults.push({ severity: 'error', message: `has ${name} twice`, at, part });
    } else if (value.kind !== 'scalar') {
      faults.push({ severity: 'error', message: 'must be a text', at, part: `${part}.${name}` });
    } else if (value.value !== null && value.text !== '') rule[name] = value.text;
    seen.add(name);
  }
  for (const name of ['from', 'to'].filter((each) => rule[each] === undefined)) {
    faults.push({
      severity: 'error',
      message: `has no ${name}`,
      hint: 'give from and to',
      at: item.at,
      part,
    });
  }
  return rule;
}

function fault(message: string, node: DocumentNode, hint?: string): Coerced {
  return { faults: [{ severity: 'error', message, hint, at: node.at }] };
}
