import type { PlannedTask } from '../sync/plan.ts';
import type { SecretValue } from '../sync/secret-value.ts';
import type { CallScope, OriginSecrets } from './ports.ts';

/** How many versions of the origin a value is compared with; Vault keeps 10 unless told otherwise. */
const versionsToCompare = 10;

/**
 * Whether `value`, which the destination has and no record tells of, is one that the origin had after what is recorded: then it is our own
 * write, made before a crash or before the record was lost, and nobody's edit.
 */
export async function isEarlierCopy(
  { path, from }: PlannedTask,
  value: SecretValue,
  currentVersion: number,
  { origin, scope }: { readonly origin: OriginSecrets; readonly scope: CallScope },
): Promise<boolean> {
  const oldest = Math.max(from?.version ?? 0, currentVersion - 1 - versionsToCompare);
  for (let version = currentVersion - 1; version > oldest; version -= 1) {
    const earlier = await origin.readVersion(path, version, scope);
    if (earlier?.sameAs(value)) return true;
  }
  return false;
}
