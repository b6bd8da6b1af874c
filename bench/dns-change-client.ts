import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';

/** Asks a name server one question every millisecond, round and round, until it is told to stop; posts how long each answer took. */
const { port, packets } = workerData as { port: number; packets: readonly Uint8Array[] };
const sentAt = new Float64Array(65_536);
const latencies: number[] = [];
const socket = createSocket('udp4');
socket.connect(port, '127.0.0.1');
await once(socket, 'connect');
socket.on('message', (reply) => {
  latencies.push(performance.now() - sentAt[reply.readUInt16BE(0)]!);
});
let id = 0;
const timer = setInterval(() => {
  id = (id + 1) & 0xffff;
  const packet = Buffer.from(packets[id % packets.length]!);
  packet.writeUInt16BE(id, 0);
  sentAt[id] = performance.now();
  socket.send(packet);
}, 1);
parentPort?.on('message', () => {
  clearInterval(timer);
  // what is still on its way is waited for as long as a change may take
  setTimeout(() => {
    socket.close();
    parentPort?.postMessage(latencies);
    parentPort?.close();
  }, 100);
});
parentPort?.postMessage('ready');
