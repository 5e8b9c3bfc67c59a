import { asVsyncError, type Side, type VsyncError } from '../../base/errors.ts';
import type { Config, ConsulConfig } from '../../config/config.ts';
import {
  type Approval,
  approvalKey,
  listStatuses,
  type NodeStatus,
  readApproval,
} from '../../consul/node-store.ts';
import type { CallScope } from '../../cycle/ports.ts';
import { ownPrefix } from '../../roles/shared.ts';
import { emptyBucketHash } from '../../sync/bucket.ts';
import type { InfoSide } from '../inspect-sides.ts';
import { faultOf, readInfo } from '../sync-info/read.ts';
import { type Pair, readPair, type StoredSide } from './pair.ts';
import { headline, type StatusWord, silentSince, wordOf } from './word.ts';

/** What Consul tells of all nodes of a configuration, at one moment. Nothing but Consul is asked. */
export interface Fleet {
  readonly word: StatusWord;
  readonly nodes: readonly FleetNode[];
  readonly infos: readonly InfoFacts[];
  /** For each destination, both sides' infos side by side; none where there are not two. */
  readonly pairs: readonly DestinationPair[];
  /** What could not be read. */
  readonly errors: readonly VsyncError[];
}

export interface FleetNode {
  /** The Consul and the sync path where it tells. */
  readonly place: string;
  readonly status: NodeStatus;
  readonly word: StatusWord;
  /** RFC 3339, when it has not been heard of for too long. */
  readonly silentSince: string | undefined;
  /** Paths in its sync info, as it told or as it is stored. */
  readonly paths: number | undefined;
  /** What an operator has approved of what it holds. */
  readonly approval: Approval | undefined;
}

/** One side's sync info. */
export interface InfoFacts {
  readonly place: string;
  readonly side: Side;
  readonly prefix: string;
  readonly numBuckets: number;
  readonly paths: number;
}

/** How the sync info of one destination compares with the origin's. */
export interface DestinationPair extends Pair {
  readonly destination: string;
  /** The number of buckets that it takes over from the origin in its next cycle. */
  readonly adopts: number | undefined;
}

/** Several destinations as one fleet: what they have in common is in it once. */
export function mergedFleets(fleets: readonly Fleet[]): Fleet {
  const once = <T>(all: readonly T[], keyOf: (each: T) => string) => [
    ...new Map(all.map((each) => [keyOf(each), each])).values(),
  ];
  const nodes = once(
    fleets.flatMap((fleet) => fleet.nodes),
    ({ place, status: { role, name } }) => `${role} ${name} ${place}`,
  );
  const infos = once(
    fleets.flatMap((fleet) => fleet.infos),
    ({ place, side }) => `${side} ${place}`,
  );
  const errors = once(
    fleets.flatMap((fleet) => fleet.errors),
    ({ message }) => message,
  );
  const pairs = fleets.flatMap((fleet) => fleet.pairs);
  return { word: headline(nodes.map(({ word }) => word)), nodes, infos, pairs, errors };
}

/** Reads the fleet, again and again with `--watch`: a bucket whose hash is known is not read a second time. */
export class FleetReader {
  readonly #config: Config;
  readonly #sides: readonly InfoSide[];
  readonly #pathsByHash = new Map<string, number>([[emptyBucketHash, 0]]);

  constructor(config: Config, sides: readonly InfoSide[]) {
    this.#config = config;
    this.#sides = sides;
  }

  async read(scope: CallScope): Promise<Fleet> {
    const errors: VsyncError[] = [];
    const orError = async <T>(reading: Promise<T>): Promise<T | undefined> => {
      try {
        return await reading;
      } catch (error) {
        scope.signal.throwIfAborted();
        const failure = asVsyncError(error);
        if (!errors.some(({ message }) => message === failure.message)) errors.push(failure);
        return undefined;
      }
    };
    const told = await this.#told((side) => orError(tellings(side, scope)));
    const sides = this.#infoSides(told);
    const loaded: LoadedInfo[] = [];
    for (const side of sides) {
      const info = await orError(this.#info(side, scope));
      if (info !== undefined) loaded.push(info);
    }
    const [origin, destination] = (['origin', 'destination'] as const).map((wanted) =>
      loaded.find(({ facts }) => facts.side === wanted),
    );
    const pair = origin && destination && (await orError(readPair(origin, destination, this.#config, scope)));
    const infos = loaded.map(({ facts }) => facts);
    const nodes = told.map((each) => fleetNode(each, pathsOf(each, told, infos), pair, Date.now()));
    const pairs = pair === undefined ? [] : [this.#destinationPair(pair, infos)];
    return { word: headline(nodes.map(({ word }) => word)), nodes, infos, pairs, errors };
  }

  #destinationPair(pair: Pair, infos: readonly InfoFacts[]): DestinationPair {
    const [origin, destination] = (['origin', 'destination'] as const).map(
      (wanted) => infos.find(({ side }) => side === wanted)?.numBuckets,
    );
    const { role, name } = this.#config;
    return {
      ...pair,
      destination: role === 'destination' ? name : 'destination',
      adopts: origin === destination ? undefined : origin,
    };
  }

  /** Nodes of both sides; where the sides share a Consul and a sync path, once. */
  async #told(list: (side: InfoSide) => Promise<Telling[] | undefined>): Promise<PlacedTelling[]> {
    const places = new Map<string, InfoSide>();
    for (const side of this.#sides) {
      const place = this.#placeOf(side);
      if (!places.has(place)) places.set(place, side);
    }
    const lists = await Promise.all(
      [...places].map(async ([place, side]) => (await list(side))?.map((telling) => ({ ...telling, place }))),
    );
    return lists.flatMap((found) => found ?? []);
  }

  #placeOf({ side, syncPath }: InfoSide): string {
    const { consul } = this.#config.role === 'origin' ? this.#config.origin : this.#config[side];
    return placeOf(consul, syncPath);
  }

  /** An origin's configuration does not name destinations, but one that shares its sync path is seen there. */
  #infoSides(told: readonly Telling[]): InfoSide[] {
    const [origin] = this.#sides;
    const isNamed = this.#sides.some(({ side }) => side === 'destination');
    if (origin === undefined || isNamed || !told.some(({ status }) => status.role === 'destination'))
      return [...this.#sides];
    return [origin, { ...origin, side: 'destination', prefix: ownPrefix(origin.syncPath, 'destination') }];
  }

  async #info(side: InfoSide, scope: CallScope): Promise<LoadedInfo | undefined> {
    const unknown = (index: readonly string[]) =>
      [...index.keys()].filter((id) => !this.#pathsByHash.has(index[id] as string));
    const info = await readInfo(side, scope, unknown);
    if (info === undefined) return undefined;
    const { stored, buckets } = info;
    const fault = faultOf(side, stored, buckets);
    if (fault !== undefined) throw fault;
    for (const { id, bucket } of buckets)
      this.#pathsByHash.set(stored.index[id] as string, bucket?.size ?? 0);
    const paths = stored.index.reduce((sum, hash) => sum + (this.#pathsByHash.get(hash) ?? 0), 0);
    const facts = {
      place: this.#placeOf(side),
      side: side.side,
      prefix: side.prefix,
      numBuckets: stored.index.length,
      paths,
    };
    return { side, stored, facts };
  }
}

interface LoadedInfo extends StoredSide {
  readonly facts: InfoFacts;
}

/** What a node tells of itself, and what was decided about what it holds. */
interface Telling {
  readonly status: NodeStatus;
  readonly approval: Approval | undefined;
}

interface PlacedTelling extends Telling {
  readonly place: string;
}

async function tellings({ consul, syncPath }: InfoSide, scope: CallScope): Promise<Telling[]> {
  const statuses = await listStatuses(consul, syncPath, scope);
  return Promise.all(
    statuses.map(async (status) => {
      if (status.held === undefined) return { status, approval: undefined };
      const key = approvalKey(syncPath, status.name);
      // Who may not read approvals sees the node all the same.
      const approval = await readApproval(consul, key, Date.now(), scope).catch(() => undefined);
      return { status, approval };
    }),
  );
}

/** A destination counts its paths only when it looks at all of them; a side's only node has what is stored for the side. */
function pathsOf(
  { status: { role, counts } }: Telling,
  told: readonly Telling[],
  infos: readonly InfoFacts[],
): number | undefined {
  const isOnly = told.filter(({ status }) => status.role === role).length === 1;
  return counts.paths ?? (isOnly ? infos.find(({ side }) => side === role)?.paths : undefined);
}

/** A destination that was in sync at its last cycle is behind when the infos say so now. */
function fleetNode(
  { place, status, approval }: PlacedTelling,
  paths: number | undefined,
  pair: Pair | undefined,
  nowMs: number,
): FleetNode {
  const silent = silentSince(status, nowMs);
  const told = wordOf(status, silent);
  const isBehind = status.role === 'destination' && told === 'InSync' && pair?.inSync === false;
  return { place, status, word: isBehind ? 'OutOfSync' : told, silentSince: silent, paths, approval };
}

function placeOf({ address, remoteDc, namespace, partition }: ConsulConfig, syncPath: string): string {
  return JSON.stringify([address, remoteDc, namespace, partition, syncPath]);
}
