import type { Operation } from './operation.ts';
import { reference } from './schemas.ts';

const route = '/v2/apps/*';
const path = '/v2/apps/{app}';
const change = { answer: reference('DeploymentResult') };

/** Marathon §3 and §4. */
export const appOperations: readonly Operation[] = [
  {
    ...{ method: 'get', route: '/v2/apps', path: '/v2/apps', summary: 'List apps' },
    query: ['cmd', 'id', 'label', 'embed'],
  },
  {
    ...{ method: 'post', route: '/v2/apps', path: '/v2/apps', summary: 'Create an app' },
    ...{ query: ['force'], body: reference('App'), answers: { 201: 'The app; its deployment begins.' } },
  },
  {
    ...{ method: 'put', route: '/v2/apps', path: '/v2/apps', summary: 'Create or change several apps' },
    ...{ query: ['force', 'partialUpdate'], body: { type: 'array', items: reference('App') }, ...change },
  },
  {
    ...{ method: 'patch', route: '/v2/apps', path: '/v2/apps', summary: 'Change several apps' },
    ...{ query: ['force'], body: { type: 'array', items: reference('AppUpdate') }, ...change },
  },
  { method: 'get', route, path, summary: 'Show an app, or all apps of a group (GROUP/*)', query: ['embed'] },
  {
    ...{ method: 'put', route, path, summary: 'Create or change an app, or go back to an older version' },
    ...{ query: ['force', 'partialUpdate'], body: reference('AppUpdate'), ...change },
    answers: { 200: 'Changed.', 201: 'Created.' },
  },
  {
    ...{ method: 'patch', route, path, summary: 'Change an app' },
    ...{ query: ['force'], body: reference('AppUpdate'), ...change },
  },
  { method: 'delete', route, path, summary: 'Remove an app', query: ['force'], ...change },
  {
    ...{ method: 'post', route, path: `${path}/restart`, summary: 'Replace every instance of an app' },
    ...{ query: ['force'], ...change },
  },
  { method: 'get', route, path: `${path}/tasks`, summary: 'List the tasks of an app' },
  {
    ...{ method: 'delete', route, path: `${path}/tasks`, summary: 'End the tasks of an app' },
    query: ['host', 'scale', 'force', 'wipe'],
  },
  {
    ...{ method: 'delete', route, path: `${path}/tasks/{task}`, summary: 'End one task' },
    query: ['scale', 'force', 'wipe'],
  },
  { method: 'get', route, path: `${path}/versions`, summary: 'List the versions of an app' },
  { method: 'get', route, path: `${path}/versions/{version}`, summary: 'Show an older definition' },
  {
    ...{ method: 'get', route: '/v2/tasks', path: '/v2/tasks', summary: 'List the tasks of all apps' },
    query: ['status'],
  },
  {
    ...{ method: 'post', route: '/v2/tasks/delete', path: '/v2/tasks/delete', summary: 'End these tasks' },
    ...{ query: ['scale', 'force', 'wipe'], body: reference('TaskIds') },
  },
];
