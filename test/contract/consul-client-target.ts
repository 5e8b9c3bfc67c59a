import { setMaxListeners } from 'node:events';
import { RetryBudget } from '../../src/base/retry.ts';
import { Secret } from '../../src/base/secret.ts';
import { ConsulClient, type ConsulClientOptions } from '../../src/consul/client.ts';
import type { CallScope } from '../../src/cycle/ports.ts';
import { type DevConsul, startDevConsul } from '../../src/dev/consul/dev-consul.ts';
import { startConsul } from '../servers/real-servers.ts';
import { ConsulApi } from '../support/consul-api.ts';
import type { ConsulServers } from './consul-http-target.ts';
import { devConsuls, realConsuls } from './consul-http-target.ts';

/** A Consul that the contracts of `src/consul` are run on. */
export interface ConsulTarget {
  readonly address: string;
  /** Looks past all code of vsync. */
  readonly api: ConsulApi;
  /** The embedded one: its requests can be counted, and made to fail. */
  readonly dev: DevConsul | undefined;
  stop(): Promise<void>;
}

/** How to have one kind of Consul. */
export interface ConsulKind {
  start(): Promise<ConsulTarget>;
  /** With ACLs, default deny. */
  readonly withAcl: ConsulServers['startWithAcl'];
}

export const embeddedConsul: ConsulKind = {
  start: async () => {
    const dev = await startDevConsul();
    return { address: dev.address, api: new ConsulApi(dev.address), dev, stop: () => dev.close() };
  },
  withAcl: devConsuls.startWithAcl,
};

export const realConsul: ConsulKind = {
  start: async () => {
    const consul = await startConsul();
    const { address } = consul;
    return { address, api: new ConsulApi(address), dev: undefined, stop: () => consul.stop() };
  },
  withAcl: realConsuls.startWithAcl,
};

export function consulClient(
  address: string,
  options: Partial<Omit<ConsulClientOptions, 'token'>> & { readonly token?: string } = {},
): ConsulClient {
  const { token, ...rest } = options;
  return new ConsulClient({
    side: 'origin',
    address,
    requestTimeoutMs: 30_000,
    retry: { retries: 0, baseMs: 0, maxMs: 0 },
    ...(token !== undefined && { token: new Secret(token) }),
    ...rest,
  });
}

export function callScope(signal: AbortSignal = new AbortController().signal): CallScope {
  // As the channels of a cycle do: every request under way listens to it.
  setMaxListeners(0, signal);
  return { signal, budget: new RetryBudget() };
}

let prefixes = 0;

/** A prefix that no other test uses; none begins another. */
export function freshPrefix(): string {
  prefixes += 1;
  return `vsync-${String(prefixes).padStart(4, '0')}/origin/`;
}
