import type { Side } from '../../base/errors.ts';
import type { Releasers } from '../../base/releasers.ts';
import type { Config, OriginConfig } from '../../config/config.ts';
import type { CheckedBucket } from '../../consul/info-check.ts';
import type { CallScope, StoredIndex } from '../../cycle/ports.ts';
import { openVault, retryPolicyOf, type VaultConnection } from '../../roles/connections.ts';
import type { DataPath } from '../../sync/mount-path.ts';
import type { VaultHealth } from '../../vault/health.ts';
import { type InfoSide, openSides } from '../inspect-sides.ts';
import { readInfo } from '../sync-info/read.ts';
import type { Report } from './report.ts';

/** What the checks of one run share. */
export interface DoctorContext {
  readonly config: Config;
  readonly report: Report;
  readonly scope: CallScope;
  readonly sides: readonly DoctorSide[];
  /** Write a key below the own sync path, and delete it again. */
  readonly writeProbe: boolean;
}

/** One end: its two servers, and what was found out about them so far. */
export interface DoctorSide {
  readonly side: Side;
  /** The side that the process of this configuration writes. */
  readonly isOwn: boolean;
  readonly settings: Pick<OriginConfig, 'vault' | 'consul' | 'syncPath' | 'mounts'>;
  readonly vault: VaultConnection;
  readonly info: InfoSide;
  /** Which of the servers answer at all. */
  readonly reachable: { vault: boolean; consul: boolean };
  health: VaultHealth | undefined;
  /** Its sync info; read once. Rejects as `readInfo` does. */
  readonly stored: () => Promise<StoredInfo | undefined>;
}

export interface StoredInfo {
  readonly stored: StoredIndex;
  readonly buckets: readonly CheckedBucket[];
}

/** No request of a diagnosis waits longer, whatever a daemon would. */
const requestTimeoutMs = 10_000;
const retries = 1;

/** Opens all connections that the role uses. Nothing is sent yet; throws for TLS files that cannot be read. */
export async function openDoctorSides(
  config: Config,
  scope: CallScope,
  releasers: Releasers,
): Promise<DoctorSide[]> {
  const infos = await openSides(shortened(config), releasers, retries);
  return Promise.all(
    infos.map(async (info): Promise<DoctorSide> => {
      const settings = settingsOf(config, info.side);
      const vault = await openVault(
        info.side,
        { ...settings.vault, ...limits(settings.vault), maxRetries: retries },
        { most: 4, auto: false },
        retryPolicyOf(config),
      );
      releasers.push(() => vault.client.close());
      let stored: Promise<StoredInfo | undefined> | undefined;
      return {
        side: info.side,
        isOwn: info.side === config.role,
        settings,
        vault,
        info,
        reachable: { vault: false, consul: false },
        health: undefined,
        stored: () => (stored ??= readInfo(info, scope)),
      };
    }),
  );
}

/** The paths of a stored info whose buckets are as they should be. */
export function pathsOf(info: StoredInfo | undefined): DataPath[] {
  return (info?.buckets ?? []).flatMap(({ bucket, fault }) =>
    bucket === undefined || fault !== undefined ? [] : [...bucket.keys()],
  );
}

/** The paths that the origin publishes, as far as they can be read: to look at real paths and not only at the top of mounts. */
export async function publishedPaths({ sides }: DoctorContext): Promise<DataPath[]> {
  const [origin] = sides;
  if (origin === undefined || !origin.reachable.consul) return [];
  return pathsOf(await origin.stored().catch(() => undefined));
}

function settingsOf(config: Config, side: Side): DoctorSide['settings'] {
  return side === 'destination' && config.role === 'destination' ? config.destination : config.origin;
}

function limits<T extends { readonly requestTimeoutMs: number }>(of: T) {
  return { requestTimeoutMs: Math.min(of.requestTimeoutMs, requestTimeoutMs) };
}

function shortened(config: Config): Config {
  const shorten = <T extends OriginConfig['consul']>(consul: T) => ({ ...consul, ...limits(consul) });
  const origin = { ...config.origin, consul: shorten(config.origin.consul) };
  if (config.role === 'origin') return { ...config, origin };
  return {
    ...config,
    origin,
    destination: { ...config.destination, consul: shorten(config.destination.consul) },
  };
}
