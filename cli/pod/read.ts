import type { PodInfo } from '../master/answers.ts';
import { Refused } from '../master/errors.ts';
import type { Master } from '../master/master.ts';

/** Undefined when there is no such pod. */
export async function readPod(master: Master, id: string): Promise<PodInfo | undefined> {
  try {
    return await master.get<PodInfo>(`/v2/pods${id}::status`);
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined;
    throw error;
  }
}
