import type { Side } from '../base/errors.ts';
import type { RuleContext } from './rule-context.ts';

/** Cross-field rules within one side of a configuration. */
export function checkSide(side: Side, context: RuleContext): void {
  checkCredentials(side, context);
  checkTls(side, 'vault', context);
  checkTls(side, 'consul', context);
  checkMounts(side, context);
  checkSyncPath(side, context);
}

/** A token or an AppRole is needed; with both the token counts (Go vsync's rule). */
function checkCredentials(side: Side, { isSet, hintFor, report }: RuleContext): void {
  const vault = `${side}.vault`;
  const hasToken = isSet(`${vault}.token`) || isSet(`${vault}.token_file`);
  const hasRole = isSet(`${vault}.approle.role_id`) || isSet(`${vault}.approle.role_id_file`);
  const hasSecret = isSet(`${vault}.approle.secret_id`) || isSet(`${vault}.approle.secret_id_file`);
  if (hasToken && hasRole) {
    const message = 'is not used, since a token is set';
    report({ severity: 'info', code: 'CONFIG_CONFLICT', key: `${vault}.approle.role_id`, message });
  } else if (!hasToken && hasSecret && !hasRole) {
    const key = `${vault}.approle.role_id`;
    report({
      severity: 'error',
      code: 'CONFIG_MISSING_VALUE',
      key,
      message: 'is missing',
      hint: 'secret_id alone is no login',
    });
  } else if (!hasToken && !hasRole) {
    const ways = `set ${vault}.token_file or ${vault}.token, or ${vault}.approle.role_id and .secret_id`;
    const hint = [ways, hintFor(`${vault}.token`)].filter((part) => part !== undefined).join('; ');
    const message = `is missing: nothing to log in to the ${side} Vault with`;
    report({ severity: 'error', code: 'CONFIG_MISSING_VALUE', key: `${vault}.token`, message, hint });
  }
}

function checkTls(side: Side, server: 'vault' | 'consul', { draft, isSet, report }: RuleContext): void {
  const tls = `${side}.${server}.tls`;
  const [cert, key] = [`${tls}.client_cert`, `${tls}.client_key`];
  if (isSet(cert) !== isSet(key)) {
    const [there, lacking] = isSet(cert) ? [cert, key] : [key, cert];
    report({
      severity: 'error',
      code: 'CONFIG_MISSING_VALUE',
      key: lacking,
      message: `is missing, but ${there} is set`,
    });
  }
  const options = ['ca_cert', 'ca_path', 'client_cert', 'client_key', 'server_name'].map(
    (name) => `${tls}.${name}`,
  );
  const useless = options.find(isSet);
  if (draft[side]?.[server]?.address?.startsWith('http:') && useless !== undefined) {
    const message = `has no effect: ${side}.${server}.address is http`;
    report({
      severity: 'warning',
      code: 'CONFIG_CONFLICT',
      key: useless,
      message,
      hint: 'write https:// in the address',
    });
  }
}

function checkMounts(side: Side, { role, isSet, written, report }: RuleContext): void {
  const key = `${side}.mounts`;
  if (side === 'origin' && role === 'origin' && !isSet(key)) {
    const hint = 'name the KV v2 mounts to publish, e.g. ["secret/"]';
    report({ severity: 'error', code: 'CONFIG_MISSING_VALUE', key, message: 'is missing', hint });
  }
  const texts = written(key);
  const mounts = (Array.isArray(texts) ? texts : []).map(
    (text) => `${String(text).replace(/^\/+|\/+$/g, '')}/`,
  );
  const all = new Set(mounts);
  const seen = new Set<string>();
  for (const [i, mount] of mounts.entries()) {
    const text = Array.isArray(texts) ? String(texts[i]) : '';
    const about = { severity: 'warning', code: 'CONFIG_BAD_VALUE', key, part: [i] } as const;
    if (text !== mount) {
      report({
        ...about,
        message: `"${text}" is not written as a mount`,
        hint: `write "${mount}" (used as that)`,
      });
    }
    if (seen.has(mount)) report({ ...about, message: `"${mount}" is there twice` });
    seen.add(mount);
    const outer = foldersOf(mount).find((folder) => all.has(folder));
    if (outer !== undefined)
      report({ ...about, message: `"${mount}" lies inside "${outer}", but mounts do not nest` });
  }
}

/** `a/b/c/` lies in `a/` and `a/b/`. */
function foldersOf(mount: string): string[] {
  const names = mount.split('/').slice(0, -2);
  return names.map((_, i) => `${names.slice(0, i + 1).join('/')}/`);
}

function checkSyncPath(side: Side, { draft, written, report }: RuleContext): void {
  const key = `${side}.syncPath`;
  const syncPath = draft[side]?.syncPath;
  const text = written(key);
  if (syncPath === undefined || typeof text !== 'string') return;
  if (text.startsWith('/')) {
    const hint = `write "${syncPath}" (used as that)`;
    report({ severity: 'warning', code: 'CONFIG_BAD_VALUE', key, message: 'begins with a slash', hint });
  }
  // Consul 1.21.5 refused many characters beyond these with a 500.
  if (!/^[A-Za-z0-9,_./-]+$/.test(syncPath)) {
    const message = 'has characters that some versions of Consul refuse in keys';
    report({
      severity: 'warning',
      code: 'CONFIG_BAD_VALUE',
      key,
      message,
      hint: 'use letters, digits and , _ . / -',
    });
  }
}
