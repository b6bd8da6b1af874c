import type { Socket } from 'node:net';
import { plainAddress } from '../request/client-facts.ts';
import type { ProxyEnds } from './proxy-header.ts';

export function socketEnds({
  remoteAddress,
  remotePort = 0,
  localAddress,
  localPort = 0,
}: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>): ProxyEnds {
  return {
    source: { address: plainAddress(remoteAddress), port: remotePort },
    destination: { address: plainAddress(localAddress), port: localPort },
  };
}
