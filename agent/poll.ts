import { errorCode, errorText } from '../core/kit/errors.ts';
import type { ReadinessCheck } from '../core/model/app.ts';
import type { ReadinessResponse } from '../core/model/checks.ts';
import { portsOf } from '../core/model/ports.ts';
import { httpGet } from './http-get.ts';
import { absolutePath, type ProbedInstance, portTarget } from './probe-target.ts';

/** Of the body of an answer; it travels with every report of the instance. */
const keptBytes = 16_384;

/** One poll of a readiness check (Marathon §14.5). Rejects only when `signal` aborts. */
export async function pollReadiness(
  instance: ProbedInstance,
  { check, signal }: { readonly check: ReadinessCheck; readonly signal: AbortSignal },
): Promise<ReadinessResponse> {
  const portIndex = portsOf(instance.app).find(({ name }) => name === check.portName)?.index ?? -1;
  const target = portTarget({ portIndex }, instance, 'scheduler');
  if (typeof target === 'string') return noAnswer(target);
  const timeout = AbortSignal.timeout(check.timeoutSeconds * 1000);
  try {
    return await httpGet(
      { kind: 'http', tls: check.protocol === 'HTTPS', path: absolutePath(check.path), ...target },
      { signal: AbortSignal.any([signal, timeout]), keep: keptBytes },
    );
  } catch (error) {
    signal.throwIfAborted();
    const words = errorText(error) || (errorCode(error) ?? 'failed');
    return noAnswer(timeout.aborted ? `no answer within ${check.timeoutSeconds} s` : words);
  }
}

function noAnswer(words: string): ReadinessResponse {
  return { status: 504, contentType: 'text/plain', body: words };
}
