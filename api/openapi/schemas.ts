import { readApp, readUpdate } from '../marathon/app-schema.ts';
import { groupSchema, readGroup } from '../marathon/group-schema.ts';
import { readGroupPatch } from '../marathon/parse-group.ts';
import { readPod } from '../marathon/pod-schema.ts';
import type { JsonSchema } from '../marathon/schema.ts';
import { readTaskIds } from '../marathon/task-ids.ts';
import { readLogging } from '../routes/logging.ts';

const timestamp = { type: 'string', format: 'date-time' };

/** What bodies are: the readers that parse them say so themselves. */
export const schemas = {
  App: readApp.schema,
  AppUpdate: readUpdate.schema,
  [groupSchema]: readGroup.schema,
  GroupPatch: readGroupPatch.schema,
  Pod: readPod.schema,
  TaskIds: readTaskIds.schema,
  Logging: readLogging.schema,
  DeploymentResult: {
    type: 'object',
    properties: { version: timestamp, deploymentId: { type: 'string' } },
    required: ['version', 'deploymentId'],
  },
  Problem: {
    type: 'object',
    properties: {
      message: { type: 'string' },
      details: {
        oneOf: [
          { type: 'string' },
          {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                path: { type: 'string' },
                errors: { type: 'array', items: { type: 'string' } },
              },
            },
          },
        ],
      },
    },
    required: ['message'],
  },
} satisfies Readonly<Record<string, JsonSchema>>;

export function reference(name: keyof typeof schemas): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}
