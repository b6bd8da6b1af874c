import { isIP } from 'node:net';
import { CniError } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { atLeast, type CniVersion, requireVersion } from '../versions.ts';
import type { CniDns, CniInterface, CniIp, CniResult, CniRoute } from './result.ts';

/**
 * Reads a plugin's result of any version. A result that does not say its version has the one of the request.
 * @throws CniError WEIR_CNI_PLUGIN_OUTPUT naming the field, or WEIR_CNI_VERSION
 */
export function parseResult(json: Json | undefined, requested: CniVersion): CniResult {
  if (!isObject(json)) throw bad('the result', 'must be an object');
  const version =
    json.cniVersion === undefined || json.cniVersion === ''
      ? requested
      : requireVersion(String(json.cniVersion));
  return atLeast(version, '0.3.0') ? parseLists(json) : parseFamilies(json);
}

function parseLists(json: JsonObject): CniResult {
  return {
    interfaces: items(json, 'interfaces').map(parseInterface),
    ips: items(json, 'ips').map(parseIp),
    routes: items(json, 'routes').map(parseRoute),
    dns: parseDns(json.dns),
  };
}

/** Versions 0.1 and 0.2 name at most one address of each family. */
function parseFamilies(json: JsonObject): CniResult {
  const families = (['ip4', 'ip6'] as const).filter((key) => json[key] !== undefined && json[key] !== null);
  const entries = families.map((key) => parseFamily(json[key], key));
  return {
    interfaces: [],
    ips: entries.map((entry) => entry.ip),
    routes: entries.flatMap((entry) => entry.routes),
    dns: parseDns(json.dns),
  };
}

function parseFamily(json: Json | undefined, key: string): { ip: CniIp; routes: CniRoute[] } {
  if (!isObject(json)) throw bad(key, 'must be an object');
  const ip = { address: cidr(json.ip, `${key}.ip`), ...address(json, 'gateway', key) };
  return { ip, routes: items(json, 'routes').map(parseRoute) };
}

function parseInterface(json: Json, index: number): CniInterface {
  const at = `interfaces[${index}]`;
  if (!isObject(json)) throw bad(at, 'must be an object');
  return {
    name: text(json, 'name', at).name ?? '',
    ...text(json, 'mac', at),
    ...count(json, 'mtu', at),
    ...text(json, 'sandbox', at),
    ...text(json, 'socketPath', at),
    ...text(json, 'pciID', at),
  };
}

function parseIp(json: Json, index: number): CniIp {
  const at = `ips[${index}]`;
  if (!isObject(json)) throw bad(at, 'must be an object');
  return {
    address: cidr(json.address, `${at}.address`),
    ...address(json, 'gateway', at),
    ...count(json, 'interface', at),
  };
}

const ROUTE_NUMBERS = ['mtu', 'advmss', 'priority', 'table', 'scope'] as const;

function parseRoute(json: Json, index: number): CniRoute {
  const at = `routes[${index}]`;
  if (!isObject(json)) throw bad(at, 'must be an object');
  const numbers = ROUTE_NUMBERS.map((key) => count(json, key, at));
  return Object.assign({ dst: cidr(json.dst, `${at}.dst`) }, address(json, 'gw', at), ...numbers);
}

function parseDns(json: Json | undefined): CniDns {
  if (json === undefined || json === null) return {};
  if (!isObject(json)) throw bad('dns', 'must be an object');
  return {
    ...texts(json, 'nameservers'),
    ...text(json, 'domain', 'dns'),
    ...texts(json, 'search'),
    ...texts(json, 'options'),
  };
}

function items(json: JsonObject, key: string): readonly Json[] {
  const value = json[key];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw bad(key, 'must be a list');
  return value;
}

/** An empty string says the same as an absent key, in every version. */
function text<K extends string>(json: JsonObject, key: K, at: string): { [key in K]?: string } {
  const value = json[key];
  if (value === undefined || value === null || value === '') return {};
  if (typeof value !== 'string') throw bad(`${at}.${key}`, 'must be a string');
  return { [key]: value } as { [key in K]?: string };
}

function texts<K extends string>(json: JsonObject, key: K): { [key in K]?: readonly string[] } {
  const list = items(json, key);
  if (list.length === 0) return {};
  if (!list.every((entry) => typeof entry === 'string')) throw bad(`dns.${key}`, 'must be a list of strings');
  return { [key]: list } as { [key in K]?: readonly string[] };
}

function count<K extends string>(json: JsonObject, key: K, at: string): { [key in K]?: number } {
  const value = json[key];
  if (value === undefined || value === null) return {};
  if (!Number.isSafeInteger(value)) throw bad(`${at}.${key}`, 'must be a whole number');
  return { [key]: value } as { [key in K]?: number };
}

function address<K extends string>(json: JsonObject, key: K, at: string): { [key in K]?: string } {
  const found = text(json, key, at);
  const value = found[key];
  if (value !== undefined && isIP(value) === 0)
    throw bad(`${at}.${key}`, `must be an IP address, is "${value}"`);
  return found;
}

function cidr(value: Json | undefined, at: string): string {
  if (typeof value === 'string' && isCidr(value)) return value;
  throw bad(at, `must be an address with a prefix length, is ${JSON.stringify(value) ?? 'absent'}`);
}

function isCidr(value: string): boolean {
  const [ip = '', prefix = '', ...rest] = value.split('/');
  const family = isIP(ip);
  if (family === 0 || rest.length > 0 || !/^\d{1,3}$/.test(prefix)) return false;
  return Number(prefix) <= (family === 4 ? 32 : 128);
}

function bad(field: string, need: string): CniError {
  return new CniError('WEIR_CNI_PLUGIN_OUTPUT', `${field} ${need}`, { cniCode: 6 });
}
