import { list, object, required, text } from './schema.ts';

/** The body of `POST /v2/tasks/delete` (Marathon §4.3). */
export const readTaskIds = object({ ids: required(list(text())) });
