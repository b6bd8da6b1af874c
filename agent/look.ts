import type { CheckResult, GeneralCheck } from '../core/model/checks.ts';
import { httpGet } from './http-get.ts';
import { tcpConnect } from './probe.ts';
import { absolutePath, type ProbedInstance, portTarget } from './probe-target.ts';
import type { ContainerId, ContainerRuntime } from './runtime.ts';

export type LookRequest = {
  readonly instance: ProbedInstance & { readonly container: ContainerId };
  readonly check: GeneralCheck;
  readonly signal: AbortSignal;
};

/** One general check (Marathon §14.4). Rejects only when `signal` aborts. */
export async function lookAt(
  runtime: ContainerRuntime,
  { instance, check, signal }: LookRequest,
): Promise<CheckResult> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(check.timeoutSeconds * 1000)]);
  const silent = (result: CheckResult) => () => {
    signal.throwIfAborted();
    return result;
  };
  const { http, tcp, exec } = check;
  if (http !== undefined) {
    const target = portTarget(http, instance, 'node');
    if (typeof target === 'string') return { kind: 'http' };
    const get = httpGet(
      { kind: 'http', tls: http.scheme === 'HTTPS', path: absolutePath(http.path), ...target },
      { signal: either, keep: 0 },
    );
    return get.then(({ status }) => ({ kind: 'http', statusCode: status }), silent({ kind: 'http' }));
  }
  if (tcp !== undefined) {
    const target = portTarget(tcp, instance, 'node');
    const failed = { kind: 'tcp', succeeded: false } as const;
    if (typeof target === 'string') return failed;
    return tcpConnect(target, either).then(() => ({ kind: 'tcp', succeeded: true }), silent(failed));
  }
  const { shell, argv } = exec?.command ?? {};
  return runtime
    .exec(instance.container, {
      argv: argv ?? ['/bin/sh', '-c', shell ?? ''],
      timeoutMs: check.timeoutSeconds * 1000,
    })
    .then(({ exitCode }) => ({ kind: 'command', exitCode }), silent({ kind: 'command' }));
}
