import type { Acl } from './acl.ts';
import { type Backend, type BackendPath, backendOf, type Fields } from './framework.ts';
import type { Encodable } from './json.ts';
import {
  type LogicalRequest,
  type LogicalResponse,
  listResponse,
  plainError,
  wrappedError,
} from './logical.ts';
import { type Mount, mountInfo } from './mounts.ts';
import type { PolicyStore } from './policies.ts';
import { type SysMountsParts, sysMountPaths } from './sys-mounts.ts';

/** `sys/`: mounts, policies, and what a token may do. Health and seal are in `sys-status.ts`, outside of access control. */

export interface SysParts extends SysMountsParts {
  readonly policies: PolicyStore;
  /** What the request's token may do. Throws 403 where it is missing or not valid. */
  readonly aclOf: (request: LogicalRequest) => Acl;
}

export function sysBackend(parts: SysParts): Backend {
  return backendOf([
    ...sysMountPaths(parts),
    ...policyPaths(parts),
    {
      pattern: /^capabilities-self$/,
      fields: { token: 'string', path: 'commaStrings', paths: 'commaStrings' },
      operations: { update: (fields, request) => capabilitiesSelf(fields, parts.aclOf(request)) },
    },
    {
      pattern: /^internal\/ui\/mounts$/,
      fields: {},
      operations: { read: (_fields, request) => visibleMounts(parts, request) },
    },
    {
      pattern: /^internal\/ui\/mounts\/(?<path>.+)$/,
      fields: { path: 'string' },
      operations: { read: (fields, request) => visibleMount(parts, fields.string('path'), request) },
    },
  ]);
}

/** The lists per path, and `capabilities` too where one path was asked for. */
function capabilitiesSelf(fields: Fields, acl: Acl): LogicalResponse {
  const paths = fields.has('paths') ? fields.strings('paths') : fields.strings('path');
  if (paths.length === 0) throw plainError(400, 'paths must be supplied');
  if (paths.includes('')) throw wrappedError(400, 'missing path');
  const data = new Map<string, Encodable>(paths.map((path) => [path, acl.capabilities(path)]));
  const [only] = paths;
  if (paths.length === 1 && only !== undefined) data.set('capabilities', acl.capabilities(only));
  return { data };
}

/** Mounts on which the token may do anything at all; none without a token. */
function visibleMounts(parts: SysParts, request: LogicalRequest): LogicalResponse {
  const acl = request.token === undefined ? undefined : parts.aclOf(request);
  const shown = parts.mounts.all().filter(({ path }) => acl?.hasMountAccess(path));
  const section = (auth: boolean) => {
    const mounts = shown.filter(({ path }) => path.startsWith('auth/') === auth);
    return new Map(mounts.map((mount) => [ownPath(mount), effectiveInfo(parts, mount)]));
  };
  return { data: new Map([['auth', section(true)] as const, ['secret', section(false)] as const]) };
}

/** The mount that a path belongs to. No such mount and no access to it look the same. */
function visibleMount(parts: SysParts, path: string, request: LogicalRequest): LogicalResponse {
  const acl = parts.aclOf(request);
  const sanitized = `${path.replace(/^\/+|\/+$/g, '')}/`;
  const mount = parts.mounts.match(sanitized);
  if (mount === undefined || !acl.hasMountAccess(mount.path)) {
    const why = `please ensure client's policies grant access to path "${sanitized}"`;
    throw plainError(403, `preflight capability check returned 403, ${why}`);
  }
  return { data: new Map([...effectiveInfo(parts, mount), ['path', ownPath(mount)]]) };
}

function ownPath(mount: Mount): string {
  return mount.path.replace(/^auth\//, '');
}

/** Vault shows the lease times in force here, OpenBao those that were set. */
function effectiveInfo(parts: SysParts, mount: Mount) {
  return mountInfo(mount, parts.settings.flavour, parts.settings.flavour === 'vault');
}

const immutable = ['root', 'response-wrapping', 'control-group'];

function policyPaths({ policies, settings }: SysParts): BackendPath[] {
  const name = (fields: Fields) => fields.string('name').toLowerCase();
  return [
    {
      pattern: /^policies\/acl\/?$/,
      fields: {},
      operations: { list: () => listResponse(policies.names()) },
    },
    {
      pattern: /^policies\/acl\/(?<name>.+)$/,
      fields: { name: 'string', policy: 'string' },
      operations: {
        read: (fields) => readPolicy(policies, name(fields), settings.flavour === 'openbao'),
        update: (fields) => writePolicy(policies, fields.string('name'), fields.string('policy')),
        delete: (fields) => {
          const doomed = name(fields);
          if (doomed === 'default') throw plainError(400, 'cannot delete default policy');
          if (immutable.includes(doomed)) throw plainError(400, `cannot delete "${doomed}" policy`);
          policies.delete(doomed);
          return undefined;
        },
      },
    },
  ];
}

function readPolicy(policies: PolicyStore, name: string, openbao: boolean): LogicalResponse | undefined {
  const text = policies.text(name);
  if (text === undefined) return undefined;
  const data = new Map<string, Encodable>([
    ['name', name],
    ['policy', text],
  ]);
  if (openbao) data.set('cas_required', false);
  return { data };
}

/** Capitals are lower-cased, with a warning; pure base64 text is decoded. */
function writePolicy(policies: PolicyStore, given: string, policy: string): LogicalResponse | undefined {
  const name = given.toLowerCase();
  if (immutable.includes(name)) throw plainError(400, `cannot update "${name}" policy`);
  if (policy === '') throw plainError(400, "'policy' parameter not supplied or empty");
  const decoded = Buffer.from(policy, 'base64');
  const text = decoded.toString('base64') === policy ? decoded.toString() : policy;
  try {
    policies.set(name, text);
  } catch (error) {
    throw plainError(400, (error as Error).message);
  }
  return name === given ? undefined : { warnings: [`policy name was converted to ${name}`] };
}
