import { connect } from 'node:net';

/** Whether something takes a TCP connection at an address of this machine's network, within a second. */
export function reaches({
  address,
  port,
}: {
  readonly address: string;
  readonly port: number;
}): Promise<boolean> {
  const socket = connect({ host: address, port, timeout: 1_000 });
  return new Promise((resolve) => {
    const say = (answer: boolean) => {
      resolve(answer);
      socket.destroy();
    };
    socket.once('connect', () => say(true)).once('timeout', () => say(false));
    socket.on('error', () => say(false));
  });
}
