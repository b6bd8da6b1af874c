import type { Test } from 'tap';
import type { Upstream } from '../options.ts';
import { plainSockets } from '../plain-sockets.ts';
import { DnsServer } from '../server.ts';
import { decodeMessage } from '../wire/decode.ts';
import { encodeMessage } from '../wire/encode.ts';
import { CLASS, FLAG, type Message } from '../wire/types.ts';

export type Change = (reply: Message) => Partial<Message> | undefined;

/** A name server on 127.0.0.1 that says `192.0.2.1` to everything, changed; undefined: silence. Ended with the test. */
export async function upstream(t: Test, change: Change = () => ({}), overTcp: Change = () => ({})) {
  const asked: Message[] = [];
  const server = new DnsServer({
    respond: (packet, { transport }) => {
      const read = decodeMessage(packet);
      if (read.kind !== 'message') return undefined;
      asked.push(read.message);
      const reply = plainReply(read.message);
      const parts = (transport === 'udp' ? change : overTcp)(reply);
      return parts === undefined ? undefined : encodeMessage({ ...reply, ...parts });
    },
    sockets: plainSockets,
    tcp: { connections: 16, idleMs: 10_000 },
  });
  t.teardown(() => server.stop());
  const [at] = await server.listen([{ address: '127.0.0.1', port: 0 }]);
  return { at: at! satisfies Upstream, asked };
}

function plainReply({ id, question }: Message): Message {
  const name = question?.name ?? '';
  const answers = [{ type: 'A', name, class: CLASS.IN, ttl: 9, address: '192.0.2.1' }] as const;
  const flags = FLAG.QR | FLAG.RD | FLAG.RA;
  return { id, flags, question, answers, authorities: [], additionals: [], edns: undefined };
}
