import type { DestinationVault, OriginMetadata, OriginSecrets } from '../../src/cycle/ports.ts';
import { type Insight, kvV2 } from '../../src/sync/insight.ts';
import { type DataPath, dataPath, type Mount } from '../../src/sync/mount-path.ts';
import { SecretValue } from '../../src/sync/secret-value.ts';
import { keyOf, namesIn, numberOf } from '../tree.ts';

/**
 * Vaults of any size that hold nothing: what they answer is computed from the name that is asked for. No HTTP, no failures: what is
 * left is vsync's own work.
 */

export const mount = 'secret/' as Mount;

/** Every hundredth secret gets a new version when the origin changes. */
const changedEvery = 100;

export class PretendOrigin implements OriginMetadata, OriginSecrets {
  readonly #secrets: number;
  #changes = 0;

  constructor(secrets: number) {
    this.#secrets = secrets;
  }

  /** One in a hundred secrets is written anew. */
  change(): void {
    this.#changes += 1;
  }

  async describeMount(of: Mount) {
    return { mount: of, id: 'mount-1' };
  }

  async readClock(): Promise<void> {}

  async listFolder(_mount: Mount, folder: string) {
    const names = namesIn(folder, this.#secrets).map(flat);
    return {
      keys: names.filter((name) => !name.endsWith('/')),
      folders: names.filter((name) => name.endsWith('/')),
    };
  }

  async readInsight(_mount: Mount, key: string): Promise<Insight> {
    return insightOf(numberOf(key), this.#changes);
  }

  async readSecret(path: DataPath) {
    const i = numberOf(path.slice(`${mount}data/`.length));
    const { version, updateTime } = insightOf(i, this.#changes);
    const value = new SecretValue(`{"username":"svc-${i}","password":"not-a-secret","version":"${version}"}`);
    return { kind: 'live', version, createdTime: updateTime, value } as const;
  }

  async readVersion(): Promise<undefined> {}
}

/** Takes every write, and counts them. */
export class PretendDestination implements DestinationVault {
  writes = 0;

  async readSecret() {
    return { kind: 'absent' } as const;
  }

  async writeSecret(_path: DataPath, _value: SecretValue, cas: number): Promise<number> {
    this.writes += 1;
    return cas + 1;
  }

  async deleteSecret(): Promise<void> {}

  async mountOf(): Promise<Mount> {
    return mount;
  }
}

/** What the origin knows of secret `i` after so many changes. */
export function insightOf(i: number, changes: number): Insight {
  const version = i % changedEvery === 0 ? 1 + changes : 1;
  const second = String(i % 60).padStart(2, '0');
  const fraction = String((i * 7919) % 1_000_000_000).padStart(9, '0');
  const updateTime = flat(`2026-01-01T00:${String(version % 60).padStart(2, '0')}:${second}.${fraction}Z`);
  return { version, updateTime, type: kvV2 };
}

/** The path and insight of each secret, as a scan finds them. */
export function* insights(secrets: number, changes: number): Generator<[DataPath, Insight]> {
  for (let i = 0; i < secrets; i += 1) yield [flat(dataPath(mount, keyOf(i))), insightOf(i, changes)];
}

/** Text as a parser gives it: one piece of memory, where a concatenation keeps all of its parts alive. */
function flat<T extends string>(text: T): T {
  return Buffer.from(text, 'latin1').toString('latin1') as T;
}
