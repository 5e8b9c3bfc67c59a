import type { VaultClient } from '../../vault/client.ts';
import { NotFound } from '../../vault/errors.ts';
import { proveNamespace, readHealth } from '../../vault/health.ts';
import { checkMounts } from './check-mounts.ts';
import { checkToken } from './check-token.ts';
import type { DoctorContext, DoctorSide } from './context.ts';

/** One Vault: seal and clock, namespace, token, mounts and rights on them. A step that fails ends what depends on it. */

/** Deletion times are judged by the server's clock, so a wrong one shifts them. */
const clockWarningMs = 30_000;

export async function checkVault(context: DoctorContext, side: DoctorSide): Promise<void> {
  const { report, scope } = context;
  const { client } = side.vault;
  if (!side.reachable.vault) return report.skip('all', 'it cannot be reached');
  const state = await report.attempt('health', () => readState(client, scope.signal));
  if (state === undefined) return report.skip('token, mounts', 'it does not answer as a Vault');
  if (!state.initialized || state.sealed) {
    report.fail('health', state.initialized ? 'it is sealed' : 'it is not initialised', {
      code: 'VAULT_SEALED',
      fix: state.initialized
        ? 'unseal it: vault operator unseal; vsync goes on by itself'
        : 'initialise it: vault operator init',
    });
    return report.skip('token, mounts', 'a sealed Vault answers nothing else');
  }
  await checkActive(context, side, state);
  if (side.health === undefined) return;
  if (!(await checkNamespace(context, side)))
    return report.skip('token, mounts', 'the namespace comes first');
  if (!(await checkToken(context, side)))
    return report.skip('mounts', 'without a token nothing can be asked');
  await checkMounts(context, side);
}

interface ServerState {
  readonly initialized: boolean;
  readonly sealed: boolean;
  readonly standby: boolean;
  readonly version: string;
  /** Server's clock minus ours, as far as its whole seconds and the time on the way tell: 0 when they may agree. */
  readonly skewMs: number;
}

/** `GET sys/health` in a form that answers 200 in every state, with the state in its body. */
async function readState(client: VaultClient, signal: AbortSignal): Promise<ServerState> {
  const always = [
    'standbyok=true',
    'perfstandbyok=true',
    'sealedcode=200',
    'uninitcode=200',
    'drsecondarycode=200',
  ];
  const sentAt = Date.now();
  const body = (await client.request({
    method: 'GET',
    path: `/sys/health?${always.join('&')}`,
    about: 'sys/health',
    authenticated: false,
    namespace: '',
    signal,
  })) as Readonly<Record<string, unknown>>;
  const serverMs = Number(body.server_time_utc) * 1000;
  // The server cuts its second off, and answered some time between the two readings of our clock.
  const [least, most] = [serverMs - Date.now(), serverMs + 999 - sentAt];
  return {
    initialized: body.initialized !== false,
    sealed: body.sealed === true,
    standby: body.standby === true || body.performance_standby === true,
    version: String(body.version),
    skewMs: Math.max(least, Math.min(0, most)),
  };
}

async function checkActive(
  { report, scope }: DoctorContext,
  side: DoctorSide,
  { standby, skewMs, version }: ServerState,
): Promise<void> {
  const { client } = side.vault;
  side.health = await report.attempt('health', () => readHealth(client, scope.signal));
  if (side.health === undefined) return report.skip('token, mounts', 'it does not answer as a Vault');
  const flavour = await flavourOf(client, side.health.enterprise, scope.signal);
  const role = standby ? ', a standby, which forwards to the active node' : ', active';
  report.pass('health', `${flavour} ${version}, unsealed${role}`);
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) > clockWarningMs) {
    report.warn('clock', `it is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} this machine's`, {
      code: 'CLOCK_SKEW',
      fix: 'let NTP set both clocks; secrets with delete_version_after end by the clock of their Vault',
    });
  } else {
    report.pass('clock', `within ${Math.max(1, seconds)} s of this machine's`);
  }
}

/** Told by behaviour, since version texts of builds from source say nothing: OpenBao knows namespaces and is not "enterprise". */
async function flavourOf(client: VaultClient, enterprise: boolean, signal: AbortSignal): Promise<string> {
  if (enterprise) return 'Vault Enterprise';
  try {
    await client.request({
      method: 'GET',
      path: '/sys/internal/ui/mounts',
      about: 'sys/internal/ui/mounts',
      authenticated: false,
      namespace: `vsync-probe-${crypto.randomUUID()}`,
      signal,
    });
    return 'Vault';
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof NotFound ? 'OpenBao' : 'Vault';
  }
}

async function checkNamespace({ report, scope }: DoctorContext, side: DoctorSide): Promise<boolean> {
  const { client } = side.vault;
  if (side.health === undefined || client.namespace === undefined || client.namespace === '') return true;
  const { health } = side;
  const proved = await report.attempt('namespace', async () => {
    await proveNamespace(client, health, scope.signal);
    return true;
  });
  if (proved === true) report.pass('namespace', `"${client.namespace}" has an effect`);
  return proved === true;
}
