import { X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import { type Side, VsyncError } from '../../base/errors.ts';
import type { TlsConfig } from '../../config/config.ts';
import { readTls } from '../../roles/connections.ts';
import type { Report } from './report.ts';

/** Whether a server can be reached, step by step: name, port, TLS. Tells what an HTTP client says in one word apart. */

export interface Endpoint {
  readonly side: Side;
  readonly server: 'vault' | 'consul';
  readonly address: string;
  readonly tls: TlsConfig;
}

/** No step waits longer than this. */
const timeoutMs = 5_000;
/** A certificate that ends sooner is a warning. */
const certificateWarningDays = 14;
const dayMs = 86_400_000;

/** Checks one connection; returns whether requests to it make sense. */
export async function checkConnection(report: Report, endpoint: Endpoint): Promise<boolean> {
  const topic = `${endpoint.side} ${endpoint.server === 'vault' ? 'Vault' : 'Consul'}`;
  const { hostname, port, protocol } = new URL(endpoint.address);
  const isSecure = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const at = { host, port: Number(port) || (isSecure ? 443 : 80) };
  const opened = await report.attempt(topic, () => openPort(endpoint, at));
  if (opened === undefined) return false;
  const where = `${endpoint.address} answers at ${opened.ip} in ${opened.ms} ms`;
  if (!isSecure) {
    report.pass(topic, `${where}, without TLS`);
    return true;
  }
  const session = await report.attempt(topic, () => openTls(endpoint, at));
  if (session === undefined) return false;
  judgeCertificate(report, topic, where, session, endpoint);
  return session.refusal === undefined || endpoint.tls.skipVerify;
}

async function openPort(endpoint: Endpoint, { host, port }: { host: string; port: number }) {
  if (isIP(host) === 0) {
    await lookup(host).catch((error: NodeJS.ErrnoException) => {
      throw unreachable(endpoint, `the name ${host} cannot be resolved (${error.code})`);
    });
  }
  const startedAt = performance.now();
  const socket = await opened(connect({ host, port }), 'connect', (code) =>
    unreachable(endpoint, `${code} on port ${port}`),
  );
  const ip = socket.remoteAddress ?? host;
  socket.destroy();
  return { ip, ms: Math.max(1, Math.round(performance.now() - startedAt)) };
}

interface TlsSession {
  readonly protocol: string;
  readonly certificate: PeerCertificate;
  /** Why a client that verifies would refuse it. */
  readonly refusal: string | undefined;
  /** When our own certificate ends, if there is one. */
  readonly ownValidTo: Date | undefined;
}

async function openTls(endpoint: Endpoint, at: { host: string; port: number }): Promise<TlsSession> {
  const { ca, cert, key, serverName } = await readTls(endpoint.tls);
  const name = serverName ?? at.host;
  const options = {
    ...at,
    ...(isIP(name) === 0 && { servername: name }),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    // What is wrong with the certificate is found out, and then judged.
    rejectUnauthorized: false,
  };
  const failed = (code: string) => unreachable(endpoint, `TLS: ${code}`);
  let connecting: TLSSocket;
  try {
    connecting = connectTls(options);
  } catch {
    throw failed('the certificate or key in tls.* is not usable PEM');
  }
  const socket = await opened(connecting, 'secureConnect', failed);
  const session = {
    protocol: socket.getProtocol() ?? 'TLS',
    certificate: socket.getPeerCertificate(),
    refusal: socket.authorized ? undefined : String(socket.authorizationError),
    ownValidTo: cert === undefined ? undefined : new Date(new X509Certificate(cert).validTo),
  };
  socket.destroy();
  return session;
}

/** The socket once `event` has come; a failure or a wait too long rejects. */
async function opened<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  failure: (code: string) => VsyncError,
): Promise<S> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(timeoutMs, () => {
      socket.destroy();
      reject(failure(`no answer within ${timeoutMs / 1000} s`));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => reject(failure(error.code ?? 'NETWORK')));
    socket.once(event, () => {
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

function judgeCertificate(
  report: Report,
  topic: string,
  where: string,
  { protocol, certificate, refusal, ownValidTo }: TlsSession,
  { side, server, tls }: Endpoint,
): void {
  const name = certificate.subjectaltname ?? certificate.subject?.CN ?? 'nobody';
  const days = daysLeft(new Date(certificate.valid_to));
  const what = `${where}; ${protocol}, certificate for ${name}, ${days} days left`;
  const prefix = `${side}.${server}.tls`;
  if (refusal !== undefined && !tls.skipVerify) {
    report.fail(topic, `${where}, but its certificate (for ${name}) is refused: ${refusal}`, {
      code: server === 'vault' ? 'VAULT_UNREACHABLE' : 'CONSUL_UNREACHABLE',
      fix: `set ${prefix}.ca_cert to the CA's file, or ${prefix}.server_name to a name in the certificate`,
    });
  } else if (refusal !== undefined) {
    report.warn(topic, `${what}; not verified (${refusal})`, {
      fix: `${prefix}.ca_cert instead of skip_verify`,
    });
  } else if (days < certificateWarningDays) {
    report.warn(topic, what, { fix: 'renew the certificate of the server' });
  } else {
    report.pass(topic, what);
  }
  if (ownValidTo === undefined) return;
  const own = daysLeft(ownValidTo);
  const message = `our own certificate (${prefix}.client_cert) has ${own} days left`;
  if (own < 0) report.fail(topic, message, { fix: 'renew it' });
  else if (own < certificateWarningDays) report.warn(topic, message, { fix: 'renew it' });
  else report.pass(topic, message);
}

function daysLeft(until: Date): number {
  return Math.floor((until.getTime() - Date.now()) / dayMs);
}

function unreachable({ side, server, address }: Endpoint, why: string): VsyncError {
  const isVault = server === 'vault';
  return new VsyncError({
    code: isVault ? 'VAULT_UNREACHABLE' : 'CONSUL_UNREACHABLE',
    side,
    server,
    address,
    message: `${address} cannot be reached`,
    why,
    hint: `${side}.${server}.address, or VSYNC_${side.toUpperCase()}_${server.toUpperCase()}_ADDRESS; is it running?`,
  });
}
