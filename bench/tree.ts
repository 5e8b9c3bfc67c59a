/**
 * The secrets of the bench by number: ten in a folder, twenty folders in a team, so 10,000 secrets lie in 1,050 folders.
 * Names are computed, so a million of them need no list.
 */

const secretsPerFolder = 10;
const foldersPerTeam = 20;

/** The key of secret `i` on its mount. */
export function keyOf(i: number): string {
  const folder = Math.floor(i / secretsPerFolder);
  return `${folderName(folder)}${secretName(i % secretsPerFolder)}`;
}

/** The number of the secret with that key. */
export function numberOf(key: string): number {
  const [team = '', app = '', secret = ''] = key.split('/');
  const folder = digits(team) * foldersPerTeam + digits(app);
  return folder * secretsPerFolder + digits(secret);
}

/** The names directly in a folder ("" is the top, others end in `/`), as a LIST of it gives them. */
export function namesIn(folder: string, secrets: number): string[] {
  const folders = Math.ceil(secrets / secretsPerFolder);
  const [team = '', app = ''] = folder.split('/');
  if (team === '') return range(Math.ceil(folders / foldersPerTeam), (i) => `${teamName(i)}/`);
  const first = digits(team) * foldersPerTeam;
  if (app === '') return range(Math.min(foldersPerTeam, folders - first), (i) => `${appName(i)}/`);
  const firstSecret = (first + digits(app)) * secretsPerFolder;
  return range(Math.min(secretsPerFolder, secrets - firstSecret), secretName);
}

/** How many folders there are, the top included: each is listed once. */
export function countFolders(secrets: number): number {
  const folders = Math.ceil(secrets / secretsPerFolder);
  return 1 + Math.ceil(folders / foldersPerTeam) + folders;
}

/** The keys of every `step`-th of `secrets` secrets. */
export function keysOf(secrets: number, step = 1): string[] {
  return range(Math.ceil(secrets / step), (i) => keyOf(i * step));
}

/** A value of about 200 bytes, another one for each `edition`. */
export function secretOf(i: number, edition: number): string {
  return JSON.stringify({
    username: `svc-${i}`,
    password: `not-a-secret-${edition}-${'x'.repeat(40)}`,
    url: `postgres://db-${i % 97}.example.net:5432/app?sslmode=verify-full&application_name=svc-${i}`,
    edition: String(edition),
  });
}

function folderName(folder: number): string {
  return `${teamName(Math.floor(folder / foldersPerTeam))}/${appName(folder % foldersPerTeam)}/`;
}

function teamName(i: number): string {
  return `team-${String(i).padStart(4, '0')}`;
}

function appName(i: number): string {
  return `app-${String(i).padStart(2, '0')}`;
}

function secretName(i: number): string {
  return `secret-${i}`;
}

function digits(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1));
}

function range<T>(length: number, make: (i: number) => T): T[] {
  return Array.from({ length }, (_, i) => make(i));
}
