/**
 * The app of the benches. It is as bad as an app may be: an answer takes a while, and at SIGTERM it ends at once, whatever it
 * was doing. Not losing a request is then wholly the platform's matter.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';

const answerMs = Number(process.env['ANSWER_MS'] ?? 0);
const body = `${process.env['MESOS_TASK_ID'] ?? 'direct'}\n`;
const soon = (answer: () => void) => {
  if (answerMs === 0) answer();
  else setTimeout(answer, answerMs);
};
const server = createServer((_request, response) => soon(() => response.end(body)));
server.listen(Number(process.env['PORT0'] ?? 8080), process.env['WEIR_ADDRESS'] ?? '0.0.0.0');
const datagrams = process.env['UDP_PORT'];
if (datagrams !== undefined) {
  const socket = createSocket('udp4');
  socket.on('message', (data, from) => soon(() => socket.send(`${data} ${body}`, from.port, from.address)));
  socket.bind(Number(datagrams), process.env['WEIR_ADDRESS'] ?? '0.0.0.0');
}
process.on('SIGTERM', () => process.exit(0));
