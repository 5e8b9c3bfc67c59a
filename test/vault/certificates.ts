import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Certificates for tests, made with the `openssl` command. */

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.warn('SKIPPED: suites on TLS (there is no `openssl` to make certificates with)');

/** PEM texts. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs certificates. */
export interface Authority {
  readonly cert: string;
  /** A certificate for these names: `DNS:vault.test`, `IP:127.0.0.1`. */
  issue(name: string, altNames: string, days?: number): KeyPair;
  /** Deletes its files. */
  close(): void;
}

export function authority(name: string): Authority {
  const dir = mkdtempSync(join(tmpdir(), 'vsync-ca-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const read = (file: string) => readFileSync(join(dir, file), 'utf8');
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  );
  return {
    cert: read('ca.pem'),
    issue: (subject, altNames, days = 2) => {
      writeFileSync(join(dir, 'ext'), `subjectAltName=${altNames}\nextendedKeyUsage=serverAuth,clientAuth\n`);
      openssl('req', ...newKey, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', `/CN=${subject}`);
      const signed = [
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-extfile',
        'ext',
        '-days',
        `${days}`,
      ];
      openssl('x509', '-req', '-in', 'leaf.csr', ...signed, '-out', 'leaf.pem');
      return { cert: read('leaf.pem'), key: read('leaf.key') };
    },
    close: () => rmSync(dir, { recursive: true, force: true }),
  };
}
