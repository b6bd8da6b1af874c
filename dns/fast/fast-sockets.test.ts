import t from 'tap';
import { socketsContract } from '../sockets.contract.ts';
import { fastSockets } from './fast-sockets.ts';
import { openLibc } from './libc.ts';

const libc = openLibc();
if (libc === undefined)
  t.pass('the runtime cannot call the C library: the plain layer is used', { skip: true });
else socketsContract(t, fastSockets(libc));
