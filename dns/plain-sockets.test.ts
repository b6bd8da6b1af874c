import t from 'tap';
import { plainSockets } from './plain-sockets.ts';
import { socketsContract } from './sockets.contract.ts';

socketsContract(t, plainSockets);
