import type { Operation } from './operation.ts';
import { reference } from './schemas.ts';

const route = '/v2/pods/*';
const path = '/v2/pods/{pod}';

/** Marathon §6. */
export const podOperations: readonly Operation[] = [
  { method: 'get', route: '/v2/pods', path: '/v2/pods', summary: 'List pods' },
  {
    ...{ method: 'post', route: '/v2/pods', path: '/v2/pods', summary: 'Create a pod', query: ['force'] },
    ...{
      body: reference('Pod'),
      answer: reference('Pod'),
      answers: { 201: 'The pod; its deployment begins.' },
    },
  },
  { method: 'get', route: '/v2/pods::status', path: '/v2/pods::status', summary: 'Show how all pods are' },
  { method: 'get', route, path, summary: 'Show a pod', answer: reference('Pod') },
  {
    ...{ method: 'put', route, path, summary: 'Change a pod', query: ['force'] },
    ...{ body: reference('Pod'), answer: reference('Pod') },
  },
  {
    ...{ method: 'delete', route, path, summary: 'Remove a pod', query: ['force'] },
    answers: { 202: 'Its deployment begins.' },
  },
  { method: 'get', route, path: `${path}::status`, summary: 'Show how a pod is' },
  { method: 'get', route, path: `${path}::versions`, summary: 'List the versions of a pod' },
  { method: 'get', route, path: `${path}::versions/{version}`, summary: 'Show an older definition' },
  {
    ...{
      method: 'delete',
      route,
      path: `${path}::instances`,
      summary: 'End these instances',
      query: ['wipe'],
    },
    body: { type: 'array', items: { type: 'string' } },
  },
  {
    ...{ method: 'delete', route, path: `${path}::instances/{instance}`, summary: 'End one instance' },
    query: ['wipe'],
  },
];
