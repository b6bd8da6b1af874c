import { serviceKey, type VipService, type VipTable } from '../lb/vip/table.ts';
import { ports } from './vip-hosts.ts';

export function service(n: number, backends: readonly string[]): VipService {
  return {
    protocol: 'tcp',
    address: `100.100.${n >> 8}.${n & 255}`,
    port: 80,
    backends: backends.map((address) => ({ instanceId: address, address, port: ports.http })),
  };
}

export function table(services: readonly VipService[]): VipTable {
  return { services: new Map(services.map((one) => [serviceKey(one), one])), problems: [] };
}
