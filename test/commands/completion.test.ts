import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../config/support.ts';
import { runMain } from './run-main.ts';

const folder = temporaryFolder();
const harness = fileURLToPath(new URL('offered.bash', import.meta.url));
const scriptFor = async (shell: string) => (await runMain(['completion', shell])).out;
const isThere = (shell: string) => spawnSync(shell, ['--version']).error === undefined;

/** Where a shell is missing, loudly: a machine without the shell should not look as if it had been tested. */
function describeWith(shell: string, body: () => void): void {
  const there = isThere(shell);
  const why = there ? '' : `: ${shell} IS NOT INSTALLED, so its script was not run`;
  describe.runIf(there)(`completion for ${shell}${why}`, body);
}

describeWith('bash', () => {
  /** What bash offers after `vsync ...words`, of which the last is being typed. */
  const offered = async (...words: string[]): Promise<string[]> => {
    const script = folder.write('vsync.bash', await scriptFor('bash'));
    const { stdout, stderr } = spawnSync('bash', ['--norc', harness, script, ...words], {
      cwd: folder.path,
      encoding: 'utf8',
    });
    // `compopt` has no completion to change where none is under way.
    expect(stderr).toBe('');
    return stdout.split('\n').filter((word) => word !== '');
  };

  it('offers commands and what is below them', async () => {
    expect(await offered('')).toEqual(expect.arrayContaining(['origin', 'destination', 'config', 'help']));
    expect(await offered('con')).toEqual(['config']);
    expect(await offered('config', '')).toEqual(
      expect.arrayContaining(['validate', 'show', 'schema', 'migrate']),
    );
    expect(await offered('--json', '-c', 'x.yaml', 'config', 'val')).toEqual(['validate']);
    expect(await offered('help', 'comp')).toEqual(['completion']);
  });

  it('offers the options of a command, and the dotted ones only when they are begun', async () => {
    const options = await offered('origin', '--');
    expect(options).toEqual(expect.arrayContaining(['--once', '--tick', '--config', '--help']));
    expect(options).not.toContain('--origin.vault.address');
    expect(await offered('origin', '--origin.vault.tok')).toEqual([
      '--origin.vault.token',
      '--origin.vault.token_file',
    ]);
    expect(await offered('version', '--onc')).toEqual([]);
  });

  it('offers values', async () => {
    expect(await offered('--log.level', '')).toEqual(['error', 'warn', 'info', 'debug', 'trace']);
    expect(await offered('--log.level', '=', 'd')).toEqual(['debug']);
    expect(await offered('--log.level', '=')).toHaveLength(5);
    expect(await offered('init', '--for', '')).toEqual(['systemd', 'nomad', 'kubernetes', 'plain']);
    expect(await offered('approve', '--for', '')).toEqual([]);
    expect(await offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(await offered('--origin.vault.token', '')).toEqual([]);
  });

  it('offers files where a file is expected', async () => {
    folder.write('my config.yaml', '');
    expect(await offered('-c', 'my')).toEqual(['my config.yaml']);
    expect(await offered('config', 'migrate', 'my')).toEqual(['my config.yaml']);
    expect(await offered('--origin.vault.token_file', 'my')).toEqual(['my config.yaml']);
  });
});

describeWith('zsh', () => {
  it('is a script that zsh can read', async () => {
    const { status, stderr } = spawnSync('zsh', ['-n', folder.write('_vsync', await scriptFor('zsh'))]);
    expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: '' });
  });
});

describeWith('fish', () => {
  const script = async () => folder.write('vsync.fish', await scriptFor('fish'));

  it('offers commands, options and values', async () => {
    const offered = async (line: string) => {
      const body = `source ${await script()}; complete -C '${line}'`;
      return spawnSync('fish', ['--no-config', '-c', body], { encoding: 'utf8' }).stdout.split('\n');
    };
    expect((await offered('vsync config ')).map((line) => line.split('\t')[0])).toContain('validate');
    expect(await offered('vsync init --for n')).toContainEqual(expect.stringMatching(/^nomad/));
    expect(await offered('vsync --log.level d')).toContainEqual(expect.stringMatching(/^debug/));
  });
});

describe('vsync completion', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s knows every command, key and value', async (shell) => {
    const script = await scriptFor(shell);
    for (const word of ['migrate', 'kubernetes', 'destination.onConflict', 'overwrite', 'once']) {
      expect(script).toContain(word);
    }
    expect(script).toMatch(/^(#compdef vsync\n)?# vsync completion for \w+\. /);
  });

  it.each([
    { name: 'no shell', args: [] },
    { name: 'another shell', args: ['tcsh'] },
  ])('exits with 64 for $name', async ({ args }) => {
    const { code, out, err } = await runMain(['completion', ...args]);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toContain('id:    USAGE');
  });
});
