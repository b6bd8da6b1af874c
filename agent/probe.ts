import { connect } from 'node:net';
import { errorCode, errorText } from '../core/kit/errors.ts';
import type { HealthCheck } from '../core/model/health-check.ts';
import { httpGet } from './http-get.ts';
import { type ProbedInstance, type ProbeTarget, probeTarget } from './probe-target.ts';
import { type ContainerId, type ContainerRuntime, ExecFailed } from './runtime.ts';

export type ProbeRequest = {
  readonly target: ProbeTarget;
  /** Whose COMMAND it is. */
  readonly container: ContainerId;
  readonly timeoutMs: number;
  /** An answer of class 1xx says neither that it is well nor that it is not. */
  readonly ignores1xx?: boolean;
  readonly signal: AbortSignal;
};

/** `undefined`: healthy; `null`: nothing to judge by; else what went wrong, for people. */
export type Verdict = string | undefined | null;

/** Rejects only when `signal` aborts. */
export async function probe(runtime: ContainerRuntime, request: ProbeRequest): Promise<Verdict> {
  const { target, timeoutMs, signal } = request;
  const timeout = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, timeout]);
  try {
    switch (target.kind) {
      case 'none':
        return target.cause;
      case 'command':
        return await probeCommand(runtime, { ...request, argv: target.argv });
      case 'tcp':
        return await tcpConnect(target, either);
      case 'http':
        return await probeHttp(target, { ...request, signal: either });
    }
  } catch (error) {
    signal.throwIfAborted();
    return timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : words(error);
  }
}

/** A check of an instance, by the check's own timeout. */
export async function probeInstance(
  runtime: ContainerRuntime,
  instance: ProbedInstance & { readonly container: ContainerId },
  check: { readonly check: HealthCheck; readonly signal: AbortSignal },
): Promise<Verdict> {
  return probe(runtime, {
    target: probeTarget(check.check, instance),
    container: instance.container,
    timeoutMs: check.check.timeoutSeconds * 1000,
    ignores1xx: check.check.ignoreHttp1xx ?? false,
    signal: check.signal,
  });
}

async function probeCommand(
  runtime: ContainerRuntime,
  { container, argv, timeoutMs }: ProbeRequest & { argv: readonly string[] },
): Promise<string | undefined> {
  const { exitCode, output } = await runtime.exec(container, { argv, timeoutMs });
  if (exitCode === 0) return undefined;
  return [`exit code ${exitCode}`, output.trim().slice(-200)].filter(Boolean).join(': ');
}

export function tcpConnect(target: { host: string; port: number }, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}

/** 200 to 399 is healthy (Marathon §14.2). */
async function probeHttp(
  target: Extract<ProbeTarget, { kind: 'http' }>,
  { signal, ignores1xx = false }: Pick<ProbeRequest, 'signal' | 'ignores1xx'>,
): Promise<Verdict> {
  let interim: number | undefined;
  const onInformation = (status: number) => {
    interim = status;
  };
  try {
    const { status } = await httpGet(target, { signal, keep: 0, onInformation });
    if (status >= 200) return status < 400 ? undefined : `HTTP status ${status}`;
    interim = status;
  } catch (error) {
    if (interim === undefined) throw error;
  }
  return ignores1xx ? null : `HTTP status ${interim}`;
}

function words(error: unknown): string {
  if (error instanceof ExecFailed) return error.message;
  return errorText(error) || (errorCode(error) ?? 'failed');
}
