import { VsyncError } from '../../base/errors.ts';
import { formatDuration } from '../../config/duration.ts';
import type { TokenFacts } from '../../vault/login.ts';
import { capabilities } from '../../vault/mounts.ts';
import type { DoctorContext, DoctorSide } from './context.ts';
import type { Check } from './report.ts';

/** How a side logs in: is the token good, how long, may it look after itself, and is it lean. */

/** Returns whether requests with the token make sense. */
export async function checkToken(context: DoctorContext, side: DoctorSide): Promise<boolean> {
  const { report, scope } = context;
  const { tokens } = side.vault;
  const known = await report.attempt('token', () => tokens.check(scope.signal));
  if (known === undefined) return false;
  const found = await lookUp(context, side);
  if (found === undefined && tokens.facts === undefined && !(await isAccepted(context, side))) {
    report.failure('token', tokens.notAccepted());
    return false;
  }
  if (found === undefined) {
    report.warn('token', 'it may not look itself up, so its lifetime is not known', {
      fix: `path "auth/token/lookup-self" { capabilities = ["read"] } in its policy`,
    });
  }
  if (tokens.facts !== undefined) {
    report.add(lifetimeCheck(context, side, tokens.facts, found));
    report.add(policiesCheck(side, tokens.facts.policies, found));
  }
  await checkSelfRights(context, side);
  return true;
}

/** What `lookup-self` says beyond the facts that renewal needs. */
interface LookedUp {
  readonly roleName: string | undefined;
  readonly explicitMaxTtlSeconds: number;
}

/** `undefined` when the token may not look itself up. */
async function lookUp({ scope }: DoctorContext, { vault }: DoctorSide): Promise<LookedUp | undefined> {
  const path = 'auth/token/lookup-self';
  try {
    const body = await vault.client.request({ method: 'GET', path: `/${path}`, about: path, ...scope });
    const { meta, explicit_max_ttl } = (body as { data: Record<string, unknown> }).data;
    const roleName = (meta as { role_name?: unknown } | null | undefined)?.role_name;
    return {
      roleName: typeof roleName === 'string' ? roleName : undefined,
      explicitMaxTtlSeconds: Number(explicit_max_ttl ?? 0),
    };
  } catch (error) {
    if (error instanceof VsyncError && error.status === 403) return undefined;
    throw error;
  }
}

/** Any token of this Vault may list the mounts that it sees; what is no token of it is refused. */
async function isAccepted({ scope }: DoctorContext, { vault }: DoctorSide): Promise<boolean> {
  const path = 'sys/internal/ui/mounts';
  try {
    await vault.client.request({ method: 'GET', path: `/${path}`, about: path, ...scope });
    return true;
  } catch (error) {
    if (error instanceof VsyncError && error.status === 403) return false;
    throw error;
  }
}

function lifetimeCheck(
  { config }: DoctorContext,
  side: DoctorSide,
  { ttlSeconds, renewable, periodSeconds }: TokenFacts,
  found: LookedUp | undefined,
): Check {
  const { canLogIn } = side.vault.tokens;
  const topic = 'token';
  const login = canLogIn ? 'by AppRole' : 'given';
  if (ttlSeconds === 0) return { status: 'pass', topic, message: `${login}, it does not expire` };
  const left = `${login}, ${formatDuration(ttlSeconds * 1000)} left`;
  if (canLogIn) return { status: 'pass', topic, message: `${left}; vsync logs in again by itself` };
  const isRenewed = renewable && renews(config, side);
  if (isRenewed && periodSeconds > 0)
    return { status: 'pass', topic, message: `${left}, periodic and renewed by vsync` };
  const max = found?.explicitMaxTtlSeconds ?? 0;
  const limit = max > 0 ? formatDuration(max * 1000) : '768h unless the server says otherwise';
  const ends = isRenewed
    ? `renewable, but not periodic: it ends for good at its maximum lifetime (${limit})`
    : `and it ends then: ${renewable ? `${side.side}.renewToken is off` : 'it is not renewable'}`;
  return {
    status: 'warn',
    topic,
    message: `${left}, ${ends}`,
    code: 'TOKEN_TTL_SHORT',
    fix: `use AppRole, ${side.side}.vault.token_file with a token that is replaced in time, or a periodic token:`,
    commands: [`${createToken(side)} -policy=<policy>`],
  };
}

/** Whether the process of this configuration renews the token of a side. */
function renews(config: DoctorContext['config'], { side }: DoctorSide): boolean {
  if (side === 'destination' && config.role === 'destination') return config.destination.renewToken ?? true;
  return config.origin.renewToken;
}

/**
 * Measured on Vault 1.18.0: a token with one small policy reads metadata 2.6 times as fast without `default` as with it
 * (7,440 and 2,820 requests a second), since evaluating policies is what a request costs.
 */
function policiesCheck(side: DoctorSide, policies: readonly string[], found: LookedUp | undefined): Check {
  const topic = 'policies';
  if (policies.includes('root')) {
    const message = 'root: it may do everything; a policy of its own is enough (vsync doctor --policies)';
    return { status: 'pass', topic, message };
  }
  const own = policies.filter((name) => name !== 'default');
  if (!policies.includes('default')) return { status: 'pass', topic, message: own.join(', ') || 'none' };
  const named = own.map((name) => `-policy=${name}`).join(' ') || '-policy=<policy>';
  const path = side.settings.vault.approle.path.replace(/^\/+|\/+$/g, '');
  const role = `auth/${path}/role/${found?.roleName ?? '<role>'}`;
  return {
    status: 'warn',
    topic,
    message: `${policies.join(', ')}: with the \`default\` policy each request costs Vault about 2.6 times as much (measured on Vault 1.18.0)`,
    fix: 'let its own policy allow lookup-self, renew-self and capabilities-self (vsync doctor --policies prints it), then:',
    commands: side.vault.tokens.canLogIn
      ? [`vault write${namespaceFlag(side)} ${role} token_no_default_policy=true`]
      : [`${createToken(side)} ${named}`],
  };
}

function createToken(side: DoctorSide): string {
  return `vault token create${namespaceFlag(side)} -orphan -period=24h -no-default-policy`;
}

function namespaceFlag({ settings }: DoctorSide): string {
  const { namespace } = settings.vault;
  return namespace === undefined || namespace === '' ? '' : ` -namespace=${namespace}`;
}

/** Without the `default` policy the own one must allow these. */
async function checkSelfRights({ report, config, scope }: DoctorContext, side: DoctorSide): Promise<void> {
  const { client, tokens } = side.vault;
  const renew = 'auth/token/renew-self';
  const granted = await report.attempt(
    'self',
    async () => (await capabilities(client, [renew], scope)) ?? 'refused',
  );
  if (granted === undefined) return;
  const rule = (path: string) => `path "${path}" { capabilities = ["update"] }`;
  if (granted === 'refused') {
    return report.warn('self', 'the token may not ask for its rights, so they cannot be checked', {
      fix: `${rule('sys/capabilities-self')} in its policy`,
    });
  }
  const mayRenew = granted.get(renew)?.some((name) => name === 'update' || name === 'root') === true;
  const needsTo = tokens.facts?.renewable === true && renews(config, side);
  if (mayRenew || !needsTo) return;
  report.warn('self', 'the token is renewable, but may not renew itself', {
    code: 'TOKEN_TTL_SHORT',
    fix: `${rule(renew)} in its policy`,
  });
}
