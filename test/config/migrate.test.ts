import { describe, expect, it } from 'vitest';
import { migrateConfig } from '../../src/config/migrate.ts';
import { configOf, load, temporaryFolder } from './support.ts';

const folder = temporaryFolder();

async function migrate(text: string, file: string) {
  const result = await migrateConfig(Buffer.from(text), file);
  if (!('text' in result)) throw new Error(JSON.stringify(result.problems));
  return result;
}

describe('JSON', () => {
  it('gets the new keys and keeps its formatting', async () => {
    const old = `{
    "name": "x",   "logLevel": "debug",
    "pprof": true,
    "dataPaths": ["a"],
    "syncPath": "sync/",
    "Origin": { "dc": "fra", "timout": "2m", "vault": { "role_id": "r" } },
    "destination": {
        "dc": "iad"
    }
}
`;
    const { text, format, changes, problems } = await migrate(old, 'a.json');
    expect(text).toBe(`{
    "name": "x",
    "Origin": {
        "timeout": "2m",
        "vault": {
            "approle": {
                "role_id": "r"
            }
        },
        "syncPath": "sync/",
        "consul": {
            "dc": "fra"
        }
    },
    "destination": {
        "syncPath": "sync/",
        "consul": {
            "dc": "iad"
        }
    },
    "log": {
        "level": "debug"
    }
}
`);
    expect(format).toBe('json');
    expect(problems).toEqual([]);
    expect(changes).toEqual([
      'logLevel -> log.level',
      'pprof -> removed',
      'dataPaths -> removed',
      'syncPath -> origin.syncPath and destination.syncPath',
      'origin.dc -> origin.consul.dc',
      'origin.timout -> origin.timeout',
      'origin.vault.role_id -> origin.vault.approle.role_id',
      'destination.dc -> destination.consul.dc',
    ]);
  });

  it('keeps comments, tabs and CRLF of JSONC', async () => {
    const old =
      '{\r\n\t// the origin\r\n\t"origin": {\r\n\t\t"dc": "fra", // datacenter\r\n\t\t"consul": {}\r\n\t},\r\n}\r\n';
    const { text } = await migrate(old, 'a.jsonc');
    expect(text).toContain('// the origin\r\n');
    expect(text).toContain('"consul": {\r\n\t\t\t"dc": "fra"\r\n\t\t}');
    expect(text).not.toMatch(/[^\r]\n/);
  });

  it('does not overwrite a new key that is there', async () => {
    const { text, changes } = await migrate(
      '{"logLevel": "debug", "Log.Level": "warn", "syncPath": "a", "origin": {"syncPath": "b"}}',
      'a.json',
    );
    expect(JSON.parse(text)).toEqual({ 'Log.Level': 'warn', origin: { syncPath: 'b' } });
    expect(changes).toEqual(['logLevel -> log.level', 'syncPath -> origin.syncPath']);
  });

  it('of today stays as it is, to the byte', async () => {
    const text = '{"origin":{"tick":"1m"},\n"unknown":1}';
    expect(await migrate(text, 'a.json')).toEqual({ text, format: 'json', changes: [], problems: [] });
  });
});

describe('YAML', () => {
  it('gets the new keys and keeps comments and quotes', async () => {
    const old = `# Frankfurt
name: 'fra' # quoted
logLevel: debug # loud
origin:
  # old datacenter key
  dc: fra
  timout: 2m # as Go's docs spelled it
  mounts: ["kv/"]
syncPath: sync/
`;
    const { text, format } = await migrate(old, 'a.yaml');
    expect(format).toBe('yaml');
    expect(text).toBe(`# Frankfurt
name: 'fra' # quoted
origin:
  # old datacenter key
  timeout: 2m # as Go's docs spelled it
  mounts: [ "kv/" ]
  consul:
    dc: fra
  syncPath: sync/
log:
  level: debug # loud
`);
  });

  it('keeps a comment above a key that goes away', async () => {
    const old =
      '# Heading\n\n# of the level\nlogLevel: debug\n# of the name\nname: fra\n\n# unused\npprof: true\norigin: {}\n';
    expect((await migrate(old, 'a.yaml')).text).toBe(
      '# Heading\n\n# of the level\n# of the name\nname: fra\n\n# unused\norigin: {}\nlog:\n  level: debug\n',
    );
  });

  it('of today stays as it is, to the byte', async () => {
    const text = 'a:   {b:  1}\n# end';
    expect((await migrate(text, 'a.yml')).text).toBe(text);
  });

  it('with an old key inside an anchor is left to a person', async () => {
    const { text, changes, problems } = await migrate(
      'base: &b {dc: fra}\norigin: *b\nlogLevel: info\n',
      'a.yaml',
    );
    expect(text).toContain('origin: *b');
    expect(changes).toEqual(['logLevel -> log.level']);
    expect(problems).toMatchObject([
      {
        severity: 'warning',
        message: 'origin.dc -> origin.consul.dc: the key is part of an anchor or a merge',
        hint: 'change it by hand',
      },
    ]);
  });
});

describe('HCL', () => {
  it('becomes YAML that means the same', async () => {
    const old = `
name = "yes" # text
"origin.consul.dc" = "fra"
origin { vault { address = "https://one:8200" token = "t" } }
origin { consul { address = "one:8500" } timout = "2m" mounts = ["kv/"] }
destination {
  vault { address = "https://two:8200" token = "t" }
  consul { address = "two:8500" }
  transforms { name = "a" from = "^kv/data/(?P<x>\\\\w+)$" to = "kv/data/x" }
}
syncPath = "sync"
`;
    const { text, format, changes } = await migrate(old, 'a.hcl');
    expect(format).toBe('yaml');
    expect(changes[0]).toBe('HCL -> YAML (comments are not kept)');
    const [before, after] = [
      await load(undefined, { role: 'destination', files: [folder.write('a.hcl', old)] }),
      await load(undefined, { role: 'destination', files: [folder.write('a.yaml', text)] }),
    ];
    expect(JSON.stringify(configOf(after))).toBe(JSON.stringify(configOf(before)));
    expect(after.lines).toEqual([]);
    expect(before.lines).toHaveLength(2);
  });
});

it.each([
  { name: 'broken', text: '{', file: 'a.json', code: 'CONFIG_SYNTAX' },
  { name: 'with a key twice', text: '{"name": "a", "Name": "b"}', file: 'a.json', code: 'CONFIG_CONFLICT' },
  { name: 'in TOML', text: 'a = 1', file: 'a.toml', code: 'CONFIG_SYNTAX' },
])('a file $name is not migrated', async ({ text, file, code }) => {
  expect(await migrateConfig(Buffer.from(text), file)).toMatchObject({
    problems: [{ severity: 'error', code }],
  });
});
