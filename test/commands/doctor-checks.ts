import type { Check } from '../../src/commands/doctor/report.ts';
import type { Json, PlanWorld, Result, RunAs } from './plan-world.ts';

/** `vsync doctor` on the servers of a world, and what it found. */

/** The rules that a token without the `default` policy needs for itself. */
export const selfRules = `
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
`;

/** The checks that did not pass. */
export function bad(found: readonly Check[]): Check[] {
  return found.filter(({ status }) => status === 'warn' || status === 'fail');
}

export class Doctor {
  readonly #world: () => PlanWorld;

  /** The world is started later than the tests are declared. */
  constructor(world: () => PlanWorld) {
    this.#world = world;
  }

  run(args: readonly string[] = [], as?: RunAs): Promise<Result> {
    return this.#world().run('doctor', args, as);
  }

  /** All checks of one section. */
  async checks(section: string, as?: RunAs, args: readonly string[] = []): Promise<Check[]> {
    const { sections } = JSON.parse((await this.run(['--json', ...args], as)).out);
    return sections.find(({ title }: Json) => title === section)?.checks ?? [];
  }

  /** A pair in sync. */
  async copied(...keys: string[]): Promise<void> {
    for (const key of keys) await this.#world().put(key);
    await this.#world().sync();
  }

  /** The destination's Vault with another token. */
  withToken(token: string): RunAs {
    return { block: { vault: { address: this.#world().vaults.destination.address, token } } };
  }

  /** A lean periodic token for the destination's Vault. */
  lean(policy: string, rules: string, options: Json = {}): Promise<string> {
    return this.#world().destination.tokenFor(policy, `${selfRules}${rules}`, {
      no_default_policy: true,
      period: '24h',
      ...options,
    });
  }
}
