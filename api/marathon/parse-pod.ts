import { absoluteId } from './app-id.ts';
import { checkPod } from './check-pod.ts';
import { normalisePod, type PodDraft } from './normalise-pod.ts';
import { type Parsed, parseJson } from './parse-json.ts';
import { readPod } from './pod-schema.ts';
import { Faults } from './schema.ts';

/** A complete definition of a pod (Marathon §6, §19.1); there are no partial ones. A `version` in it is ignored. */
export function parsePod(body: unknown): Parsed<PodDraft> {
  const typed = parseJson(body, readPod);
  if (!typed.ok) return typed;
  const input = typed.value;
  const draft = normalisePod(input, absoluteId(input.id));
  const faults = new Faults();
  checkPod(input, { draft, written: input.id }, faults);
  if (faults.none) return { ok: true, value: draft };
  return { ok: false, status: 422, body: { message: 'Object is not valid', details: faults.details } };
}
