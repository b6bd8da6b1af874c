import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type ListenWish, listenProblem } from '../../api/listen-problem.ts';
import type { Address } from './agent-settings.ts';

export type WantedPort = {
  readonly what: string;
  readonly flag: string;
  readonly at: Address;
  readonly udp?: boolean;
};

/** Throws PortInUse, naming flag and holder, for the first port that cannot be had; opens nothing that stays open. */
export async function checkPorts(wanted: readonly WantedPort[]): Promise<void> {
  for (const { what, flag, at, udp } of wanted) {
    const wish: ListenWish = { what, flag, at };
    try {
      await tryTcp(at);
      if (udp) await tryUdp(at);
    } catch (error) {
      throw await listenProblem(error, wish);
    }
  }
}

async function tryTcp({ address, port }: Address): Promise<void> {
  const server = createServer();
  server.listen(port, address);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

async function tryUdp({ address, port }: Address): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  socket.close();
  await once(socket, 'close');
}
