import { aliases } from '../../src/config/aliases.ts';
import { flagSpecs } from '../../src/config/flags.ts';
import { groupSpecs, type KeySpec, keySpecs } from '../../src/config/keys.ts';
import { shellVariables } from '../../src/config/shell-environment.ts';
import { code, generatedFrom, table } from './markdown.ts';

/** `docs/configuration.md`: every key, as the schema has it. */
export function configurationPage(): string {
  return `# Configuration

${generatedFrom('the schema (`src/config/schema.ts`)')}

\`\`\`
vsync config validate -c FILE     find every problem, with nothing but the file
vsync config show -c FILE         what is in effect, and where each value comes from
vsync config schema               the JSON Schema, for editors; also schema/vsync.schema.json
vsync config migrate FILE         old keys and HCL in today's form
\`\`\`

## Where values come from

The first of these that sets a key counts:

1. flags: \`--origin.vault.address\`, and the short ones below
2. environment: \`VSYNC_\` and the key in upper case with underscores for dots, so \`origin.numWorkers\` is \`VSYNC_ORIGIN_NUMWORKERS\`; an empty variable is not set
3. files: \`--config\`, which may be given more than once; of two files the later one counts, key by key
4. for the side that the process lives on, the variables of other programs ([below](#variables-of-other-programs))
5. \`~/.vault-token\`, for commands that a person waits for, never for daemons
6. defaults

\`--config\` takes a file, a folder (its configuration files in the order of their names) or \`-\` for standard input. Without it: \`VSYNC_CONFIG\`, else the first
that exists of \`./config.*\`, \`./vsync.*\`, \`/etc/vsync/config.*\`, \`$XDG_CONFIG_HOME/vsync/config.*\` (\`~/.config\`) and \`~/.vsync.json\`.

JSON (\`.json\`; with comments \`.jsonc\`), YAML 1.1 and HCL are read. A dotted key is the same as nesting: \`"origin.consul": {"dc": "fra"}\`. Case does not
matter. A key that nothing reads is a warning that names the nearest one; with \`--strict-config\` an error.

Durations are those of Go: \`90s\`, \`1h30m\`, \`250ms\`; a number without a unit is an error. Shares are numbers from 0 to 1 or percentages: \`0.1\`, \`"10%"\`. Lists
are lists, or one text with spaces between.

Keep secrets in files: every secret has a \`..._file\` key (and so a \`..._FILE\` variable). Token files are read again within 5 seconds of a change.

## Keys

\`<side>\` stands for \`origin\` and for \`destination\`. A destination reads the keys of both sides, an origin its own; what is marked with * only the process of that
role reads. The last column says what Go vsync has: the key in its documentation, the key in its code only, or no such key.

${sections().join('\n\n')}

## Several destinations in one process

\`destinations\` is a list: each element is written like \`destination\`, with a \`name\` and, if it likes, \`guards\` and \`ignoreDeletes\` of its own. What all of
them share stays under \`destination\` and at the top. Each has its own ticker, workers, guard, backoff and progress, so none waits for another; each secret is read
once at the origin for all of them. Each needs a \`syncPath\` of its own where two use the same Consul.

\`\`\`yaml
origin:
  vault: { address: https://vault.fra.example.net:8200, token_file: /run/secrets/origin }
  consul: { address: https://consul.fra.example.net:8501 }
  mounts: [secret/]
destination:                       # for all of them
  consul: { address: http://127.0.0.1:8500 }
  numWorkers: 10
destinations:
  - name: iad
    vault: { address: https://vault.iad.example.net:8200, token_file: /run/secrets/iad }
    syncPath: vsync-iad/
  - name: sin
    vault: { address: https://vault.sin.example.net:8200, token_file: /run/secrets/sin }
    syncPath: vsync-sin/
    ignoreDeletes: true
\`\`\`

Commands that are about one destination take \`--node NAME\`. Variables and flags of \`destination.\` count for all of them.

## Old keys

They are accepted with a warning; \`vsync config migrate\` writes the new ones.

${table(
  ['old', 'is'],
  aliases.map(({ from, to, hint }) => [code(from), to.length === 0 ? hint : to.map(code).join(' and ')]),
)}

## Short flags

Of \`origin\` and \`destination\`, for the side of that name. Every key is also a flag under its own name.

${table(
  ['flag', 'key'],
  flagSpecs
    .filter(({ short }) => short)
    .map(({ name, key }) => [code(`--${name}`), code(bothSides(key.origin, key.destination))]),
)}

## Variables of other programs

They do not say which of two Vaults they mean, so they count for the side that the process lives on and no other: \`vsync origin\` uses them for the origin,
all that works for a destination for the destination. \`BAO_*\` is read before \`VAULT_*\`.

${table(
  ['variable', 'key'],
  shellVariables.map(({ names, key }) => [names.map(code).join(', '), code(`<side>.${key}`)]),
)}
`;
}

/** One table for each group; what both sides have alike is there once. */
function sections(): string[] {
  const shared = new Set(keySpecs.map(shownKey).filter((key, i, all) => all.indexOf(key) !== i));
  const rows = keySpecs.filter((spec) => spec.side !== 'destination' || !shared.has(shownKey(spec)));
  const groups = [...new Set(rows.map(groupOf))];
  return groups.map((group) => {
    const keys = rows.filter((spec) => groupOf(spec) === group);
    const about = descriptionOf(group);
    const title = group === '' ? 'Top' : code(group);
    return `### ${title}\n\n${about === '' ? '' : `${about}\n\n`}${table(['key', 'type', 'default', 'meaning', 'Go'], keys.map(row))}`;
  });
}

/** `<side>.vault.address` for a key that means the same on both sides, else the key itself. */
function shownKey({ key, pattern, description, default: fallback }: KeySpec): string {
  if (pattern === key) return key;
  const other = keySpecs.find((each) => each.pattern === pattern && each.key !== key);
  const isSame =
    other !== undefined &&
    sideless(other.description) === sideless(description) &&
    JSON.stringify(other.default) === JSON.stringify(fallback);
  return isSame ? pattern.replace('*', '<side>') : key;
}

function groupOf(spec: KeySpec): string {
  return shownKey(spec).split('.').slice(0, -1).join('.');
}

function descriptionOf(group: string): string {
  if (group === '<side>') return 'What each side has for itself.';
  const spec = groupSpecs.find((each) => each.group === group.replace('<side>', 'origin'));
  return spec === undefined ? '' : group.startsWith('<side>') ? sideless(spec.description) : spec.description;
}

/** A description without the side that it is of. */
function sideless(description: string): string {
  return description
    .replace(/the (origin|destination) (Vault or OpenBao|Vault)/g, 'the $2')
    .replace(/the (origin|destination) Consul/g, 'Consul')
    .replace(/"(origin|destination)\/" is/g, '"origin/" or "destination/" is');
}

const provenance = { documented: 'documented', code: 'code', new: '' } as const;

function row(spec: KeySpec): string[] {
  const { description, from, ownRoleOnly, fileKey } = spec;
  const key = shownKey(spec);
  const twin = fileKey === undefined ? '' : ` Better: ${code(`${fileKey.split('.').at(-1)}`)}.`;
  return [
    `${code(key)}${ownRoleOnly ? ' *' : ''}`,
    typeOf(spec),
    defaultOf(spec),
    `${key.startsWith('<side>') ? sideless(description) : description}${twin}`,
    provenance[from],
  ];
}

function typeOf({ kind, min, max, values, words, path }: KeySpec): string {
  if (values !== undefined) return values.map(code).join(', ');
  if (path !== undefined) return path === 'directory' ? 'folder' : 'file';
  const range = max !== undefined && max < 1e9 ? ` ${min} to ${max}` : '';
  const names: Readonly<Record<typeof kind, string>> = {
    string: 'text',
    secret: 'secret',
    int: ['whole number', range, ...(words ?? []).map((word) => `, or ${code(word)}`)].join(''),
    number: `number${range}`,
    ratio: 'share',
    boolean: 'true, false',
    list: 'list',
    duration: 'duration',
    enum: 'text',
    transforms: 'list of name, from, to',
  };
  return names[kind];
}

function defaultOf({ default: value, required }: KeySpec): string {
  if (required) return 'required';
  if (value === undefined) return '';
  return code(typeof value === 'string' ? value : JSON.stringify(value));
}

function bothSides(origin: string, destination: string): string {
  return origin === destination ? origin : origin.replace(/^origin/, '<side>');
}
