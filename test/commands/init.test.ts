import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { policyFiles } from '../../src/commands/init/policies.ts';
import { starterFiles } from '../../src/commands/init.ts';
import { temporaryFolder } from '../config/support.ts';
import { runMain } from './run-main.ts';

const folder = temporaryFolder();
const init = (...args: string[]) => runMain(['init', ...args], { cwd: folder.path });
const platforms = ['systemd', 'nomad', 'kubernetes', 'plain'] as const;
const filesIn = (dir: string) =>
  readdirSync(join(folder.path, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder.path, dir).length + 1))
    .sort();
const contentOf = (platform: (typeof platforms)[number], name: string): string => {
  const file = starterFiles(platform, ['origin', 'destination']).find((each) => each.name === name);
  if (file === undefined) throw new Error(`init --for ${platform} has no ${name}`);
  return file.content;
};

describe('vsync init', () => {
  it('writes all files of both roles and says what comes next', async () => {
    const { code, out, err } = await init('--for', 'systemd', '--dir', 'a/b');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(filesIn('a/b')).toEqual([
      'destination.yaml',
      'origin.yaml',
      'policies/consul-destination-reads-origin.hcl',
      'policies/consul-destination.hcl',
      'policies/consul-origin.hcl',
      'policies/destination-reads-origin.hcl',
      'policies/destination.hcl',
      'policies/origin.hcl',
      'vsync-destination.service',
      'vsync-origin.service',
    ]);
    for (const name of filesIn('a/b')) expect(out).toContain(`  ${name}\n`);
    expect(out).toContain('vsync config validate -c origin.yaml');
  });

  it.each(platforms)(
    'for %s writes configurations that are valid, with nothing unknown in them',
    async (platform) => {
      expect((await init('--for', platform, '--dir', platform)).code).toBe(0);
      for (const role of ['origin', 'destination']) {
        const file = join(folder.path, platform, `${role}.yaml`);
        const { code, out } = await runMain(['config', 'validate', '-c', file]);
        expect(code, out).toBe(0);
        expect(out).toContain(`valid for ${role}`);
        // The tokens are on the machine where vsync will run; there is nothing else to say.
        for (const line of out.trimEnd().split('\n').slice(0, -1)) {
          expect(line).toMatch(/^warning: .*token_file: .* does not exist on this machine/);
        }
      }
    },
  );

  it('writes the files of one role only', async () => {
    await init('--for', 'plain', '--role', 'origin', '--dir', 'origin-only');
    expect(filesIn('origin-only')).toEqual([
      'origin.yaml',
      'policies/consul-origin.hcl',
      'policies/origin.hcl',
    ]);
    await init('--for', 'nomad', '--role', 'destination', '--dir', 'destination-only');
    expect(filesIn('destination-only')).toContain('vsync-destination.nomad.hcl');
    expect(filesIn('destination-only').filter((name) => /(^|[/-])origin\.(yaml|nomad)/.test(name))).toEqual(
      [],
    );
  });

  it('refuses to overwrite: names what is there, and writes nothing', async () => {
    folder.write('taken/origin.yaml', 'mine');
    folder.write('taken/policies/destination.hcl', 'mine');
    const { code, out, err } = await init('--for', 'plain', '--dir', 'taken');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^error: origin\.yaml, policies\/destination\.hcl in .*taken exist already\n/);
    expect(filesIn('taken')).toEqual(['origin.yaml', 'policies/destination.hcl']);
    expect(readFileSync(join(folder.path, 'taken/origin.yaml'), 'utf8')).toBe('mine');
  });

  it('fails with 1 where it cannot write', async () => {
    folder.write('a-file', '');
    const { code, err } = await init('--for', 'plain', '--dir', 'a-file/below');
    expect(code).toBe(1);
    expect(err).toMatch(/^error: cannot write .*a-file.*: ENOTDIR\n/);
  });

  it('prints instead of writing with --print', async () => {
    const { code, out } = await init('--for', 'kubernetes', '--print', '--dir', 'printed');
    expect(code).toBe(0);
    const names = starterFiles('kubernetes', ['origin', 'destination']).map(({ name }) => name);
    expect([...out.matchAll(/^# ==> (.*)$/gm)].map(([, name]) => name)).toEqual(names);
    expect(existsSync(join(folder.path, 'printed'))).toBe(false);
    const json = await init('--for', 'kubernetes', '--print', '--json');
    expect(JSON.parse(json.out).files.map(({ name }: { name: string }) => name)).toEqual(names);
  });

  it('tells what it wrote as one document with --json', async () => {
    const { out } = await init('--for', 'plain', '--role', 'origin', '--dir', 'json', '--json');
    expect(JSON.parse(out)).toEqual({
      dir: join(folder.path, 'json'),
      files: ['origin.yaml', 'policies/origin.hcl', 'policies/consul-origin.hcl'],
    });
  });

  it.each([
    { name: 'no platform', args: [] },
    { name: 'an unknown platform', args: ['--for', 'docker'] },
    { name: 'an unknown role', args: ['--for', 'plain', '--role', 'primary'] },
  ])('exits with 64 for $name', async ({ args }) => {
    expect((await init(...args)).code).toBe(64);
  });
});

describe('what init writes', () => {
  it('are the policies of examples/policies, of which a test shows that they are enough', () => {
    const mounts = ['secret/', 'team/kv/'];
    const files = [
      ...policyFiles('origin', mounts, 'vsync/'),
      ...policyFiles('destination', mounts, 'vsync/'),
    ];
    const folderOf = fileURLToPath(new URL('../../examples/policies/', import.meta.url));
    const evenly = (text: string) => text.replace(/ +/g, ' ');
    for (const { name, content } of files) {
      const example = readFileSync(join(folderOf, name.replace('policies/', '')), 'utf8');
      expect(evenly(content), name).toBe(evenly(example));
    }
    const examples = readdirSync(folderOf).filter((name) => name.endsWith('.hcl'));
    expect(files.map(({ name }) => name.replace('policies/', '')).sort()).toEqual(examples.sort());
  });

  it.each(['origin', 'destination'] as const)(
    'is a unit for the %s that systemd restarts when that can help',
    (role) => {
      const unit = contentOf('systemd', `vsync-${role}.service`).split('\n');
      for (const line of [
        'Type=exec',
        'RestartPreventExitStatus=64 65 77 78',
        'TimeoutStopSec=60s',
        `ExecStart=/usr/local/bin/vsync ${role} --config /etc/vsync/${role}.yaml`,
      ]) {
        expect(unit).toContain(line);
      }
      expect(unit.filter((line) => line.startsWith('MemoryDenyWriteExecute'))).toEqual([]);
      // Every token that the configuration names is loaded under that name.
      const folderOfUnit = `/run/credentials/vsync-${role}.service/`;
      const named = [...contentOf('systemd', `${role}.yaml`).matchAll(/^ +token_file: (.*)$/gm)];
      expect(named).toHaveLength(role === 'origin' ? 1 : 2);
      for (const [, file = ''] of named) {
        expect(file.startsWith(folderOfUnit)).toBe(true);
        const name = file.slice(folderOfUnit.length);
        expect(unit).toContain(`LoadCredential=${name}:/etc/vsync/credentials/${name}`);
      }
    },
  );

  it.each(['origin', 'destination'] as const)('is a job for the %s whose tokens Nomad provides', (role) => {
    const job = contentOf('nomad', `vsync-${role}.nomad.hcl`);
    expect(job).toMatch(/type += "service"/);
    expect(job).toMatch(
      /vault \{\n +role += "vsync-\w+"\n +change_mode += "signal"\n +change_signal += "SIGHUP"/,
    );
    expect(job).toContain('kill_timeout = "60s"');
    for (const [, file = ''] of contentOf('nomad', `${role}.yaml`).matchAll(/^ +token_file: \/(.*)$/gm)) {
      // Nomad itself keeps the token of its own Vault there.
      if (file !== 'secrets/vault_token') expect(job).toContain(`"${file}"`);
    }
  });

  it.each(['origin', 'destination'] as const)(
    'are manifests for the %s: one process, nothing writable',
    (role) => {
      const deployment = parseYaml(contentOf('kubernetes', `deployment-${role}.yaml`), { merge: true });
      expect(deployment).toMatchObject({
        kind: 'Deployment',
        spec: { replicas: 1, strategy: { type: 'Recreate' } },
      });
      const cronJob = parseYaml(contentOf('kubernetes', `cronjob-${role}.yaml`));
      expect(cronJob).toMatchObject({ kind: 'CronJob', spec: { concurrencyPolicy: 'Forbid' } });
      const pods = [deployment.spec.template.spec, cronJob.spec.jobTemplate.spec.template.spec];
      for (const pod of pods) {
        const [container] = pod.containers;
        expect(container.securityContext).toMatchObject({
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
        });
        expect(pod.volumes.find(({ name }: { name: string }) => name === 'credentials')).toHaveProperty(
          'projected',
        );
        const mounted = container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
        for (const [, file = ''] of contentOf('kubernetes', `${role}.yaml`).matchAll(
          /^ +token_file: (.*)\/[^/]+$/gm,
        )) {
          expect(mounted).toContain(file);
        }
      }
      expect(pods.map((pod) => pod.containers[0].args.includes('--once'))).toEqual([false, true]);
      const { resources, configMapGenerator } = parseYaml(contentOf('kubernetes', 'kustomization.yaml'));
      expect(resources).toContain(`deployment-${role}.yaml`);
      expect(configMapGenerator).toContainEqual({ name: `vsync-${role}`, files: [`${role}.yaml`] });
    },
  );
});
