import { absoluteId } from './app-id.ts';
import { checkPod } from './check-pod.ts';
import { normalisePod, type PodDraft } from './normalise-pod.ts';
import type { Parsed } from './parse-app.ts';
import { readPod } from './pod-schema.ts';
import { Faults } from './schema.ts';

/** A complete definition of a pod (Marathon §6, §19.1); there are no partial ones. A `version` in it is ignored. */
export function parsePod(body: unknown): Parsed<PodDraft> {
  if (body === undefined) {
    const message = 'Please specify data in JSON format';
    return { ok: false, status: 400, body: { message, details: 'No content to map due to end-of-input' } };
  }
  const typeFaults = new Faults();
  const input = readPod(body, '/', typeFaults);
  if (input === undefined || !typeFaults.none)
    return { ok: false, status: 422, body: { message: 'Invalid JSON', details: typeFaults.details } };
  const draft = normalisePod(input, absoluteId(input.id));
  const faults = new Faults();
  checkPod(input, { draft, written: input.id }, faults);
  if (faults.none) return { ok: true, value: draft };
  return { ok: false, status: 422, body: { message: 'Object is not valid', details: faults.details } };
}
