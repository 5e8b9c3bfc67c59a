import * as z from 'zod';
import type { Side } from '../base/errors.ts';
import { boolean, duration, int, number, path, secret, text } from './leaf.ts';
import { address } from './parsed-values.ts';

/** The keys of a connection: each of the two sides has one to its Vault and one to its Consul. */

const documented = { from: 'documented' } as const;
const fresh = { from: 'new' } as const;

/** `<side>.vault.*` */
export function vaultKeys(side: Side) {
  const vault = `the ${side} Vault`;
  return z
    .strictObject({
      address: address(
        `Address of ${vault} or OpenBao, such as "https://vault.example.net:8200".`,
        'vault',
        documented,
      ),
      token: secret(`Token for ${vault}; it wins over AppRole.`, documented).optional(),
      token_file: path(
        `File with the token for ${vault}, read again when it changes.`,
        'secret',
        fresh,
      ).optional(),
      namespace: text(`Namespace of ${vault}.`, fresh).optional(),
      approle: approleKeys(vault),
      tls: tlsKeys(vault),
      requestTimeout: duration(`Time limit of one request to ${vault}.`, fresh).prefault('60s'),
      maxRetries: int(
        `How often a failed request to ${vault} is repeated.`,
        { min: 0, max: 1000 },
        fresh,
      ).prefault(4),
      rateLimit: rateLimit(vault),
    })
    .describe(`Connection to ${vault}.`);
}

/** `<side>.consul.*` */
export function consulKeys(side: Side) {
  const consul = `the ${side} Consul`;
  return z
    .strictObject({
      address: address(`Address of ${consul} agent, such as "http://127.0.0.1:8500".`, 'consul', documented),
      dc: text(
        `Datacenter in which the agent of ${consul} is expected to be; vsync warns when it is in another.`,
        documented,
      ).optional(),
      remoteDc: text(`Datacenter to reach through the agent of ${consul} (sent as ?dc=).`, fresh).optional(),
      token: secret(`ACL token for ${consul}.`, fresh).optional(),
      token_file: path(
        `File with the ACL token for ${consul}, read again when it changes.`,
        'secret',
        fresh,
      ).optional(),
      namespace: text(`Consul Enterprise namespace of ${consul}.`, fresh).optional(),
      partition: text(`Consul Enterprise admin partition of ${consul}.`, fresh).optional(),
      tls: tlsKeys(consul),
      requestTimeout: duration(
        `Time limit of one request to ${consul}, the wait of a watch not counted.`,
        fresh,
      ).prefault('60s'),
      rateLimit: rateLimit(consul),
    })
    .describe(`Connection to ${consul}.`);
}

function approleKeys(vault: string) {
  return z
    .strictObject({
      path: text(`Mount of the AppRole method in ${vault}.`, documented).prefault('approle'),
      role_id: secret(`AppRole role_id for ${vault}.`, documented).optional(),
      role_id_file: path(`File with the AppRole role_id for ${vault}.`, 'secret', fresh).optional(),
      secret_id: secret(`AppRole secret_id for ${vault}, unless the role needs none.`, documented).optional(),
      secret_id_file: path(`File with the AppRole secret_id for ${vault}.`, 'secret', fresh).optional(),
    })
    .describe(`AppRole login at ${vault}, used without a token.`);
}

function tlsKeys(server: string) {
  return z
    .strictObject({
      ca_cert: path(`PEM file with the CA of ${server}, or the PEM text itself.`, 'file', fresh).optional(),
      ca_path: path(`Folder with PEM files of CAs for ${server}.`, 'directory', fresh).optional(),
      client_cert: path(`PEM file with the client certificate for ${server}.`, 'file', fresh).optional(),
      client_key: path(
        `PEM file with the key of the client certificate for ${server}.`,
        'file',
        fresh,
      ).optional(),
      server_name: text(
        `Name expected in the certificate of ${server}, if it is not the host of the address.`,
        fresh,
      ).optional(),
      skip_verify: boolean(`Accept any certificate from ${server}; only for experiments.`, fresh).prefault(
        false,
      ),
    })
    .describe(`TLS options for ${server}.`);
}

function rateLimit(server: string) {
  return number(
    `Requests per second to ${server} at most; 0 = no limit.`,
    { min: 0, max: 1e6 },
    fresh,
  ).prefault(0);
}
