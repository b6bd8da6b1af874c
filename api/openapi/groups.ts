import type { Operation } from './operation.ts';
import { reference } from './schemas.ts';

const change = { answer: reference('DeploymentResult') };
const root = ['/v2/groups', '/v2/groups'] as const;
const below = ['/v2/groups/*', '/v2/groups/{group}'] as const;

/** Marathon §5. What holds for a group holds for the root. */
export const groupOperations: readonly Operation[] = [root, below].flatMap(([route, path]): Operation[] => [
  { method: 'get', route, path, summary: 'Show a group', query: ['embed'] },
  {
    ...{ method: 'post', route, path, summary: 'Create a group', query: ['force', 'dryRun'] },
    ...{ body: reference('Group'), ...change, answers: { 201: 'Created; its deployment begins.' } },
  },
  {
    ...{ method: 'put', route, path, summary: 'Create or change a group, scale it, or go back' },
    ...{ query: ['force', 'dryRun'], body: reference('Group'), ...change },
  },
  {
    ...{ method: 'patch', route, path, summary: 'Change whether a group enforces its role' },
    ...{ body: reference('GroupPatch'), answers: { 200: 'Changed.' } },
  },
  { method: 'delete', route, path, summary: 'Remove a group and all in it', query: ['force'], ...change },
  // The root has the same endings, and one route more answers them.
  {
    method: 'get',
    route: below[0],
    path: `${path}/apps`,
    summary: 'List the apps of a group',
    query: ['embed'],
  },
  { method: 'get', route: below[0], path: `${path}/versions`, summary: 'List the versions of the root' },
  {
    ...{ method: 'get', route: below[0], path: `${path}/versions/{version}` },
    summary: 'Show a group as it was',
  },
]);
