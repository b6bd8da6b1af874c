import packet from 'dns-packet';
import type { Host } from './host.ts';

/** A name's address, asked of the product's resolver over TCP, on a connection of its own. Throws when there is none. */
export async function resolve({ tunnel }: Pick<Host, 'tunnel'>, name: string): Promise<string> {
  const socket = await tunnel.connect('127.0.0.1', 10_053);
  socket.write(packet.streamEncode({ type: 'query', questions: [{ type: 'A', name }] }));
  let got = Buffer.alloc(0);
  for await (const chunk of socket) {
    got = Buffer.concat([got, chunk as Buffer]);
    if (got.length >= 2 && got.length >= 2 + got.readUInt16BE()) break;
  }
  socket.destroy();
  const answers = packet.streamDecode(got)?.answers ?? [];
  for (const answer of answers) if (answer.type === 'A') return answer.data;
  throw new Error(`${name} has no address`);
}
