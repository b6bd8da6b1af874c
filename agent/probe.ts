import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { errorCode, errorText } from '../core/kit/errors.ts';
import type { HealthCheck } from '../core/model/health-check.ts';
import { type ProbedInstance, type ProbeTarget, probeTarget } from './probe-target.ts';
import { type ContainerId, type ContainerRuntime, ExecFailed } from './runtime.ts';

export type ProbeRequest = {
  readonly target: ProbeTarget;
  /** Whose COMMAND it is. */
  readonly container: ContainerId;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** `undefined`: healthy; else what went wrong, for people. Rejects only when `signal` aborts. */
export async function probe(runtime: ContainerRuntime, request: ProbeRequest): Promise<string | undefined> {
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
        return await probeTcp(target, either);
      case 'http':
        return await probeHttp(target, either);
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
): Promise<string | undefined> {
  return probe(runtime, {
    target: probeTarget(check.check, instance),
    container: instance.container,
    timeoutMs: check.check.timeoutSeconds * 1000,
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

function probeTcp(target: { host: string; port: number }, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}

/** 200 to 399 is healthy; redirects are not followed, certificates not verified (Marathon §14.2). */
function probeHttp(
  target: Extract<ProbeTarget, { kind: 'http' }>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { host, port, path, tls } = target;
  const options = {
    host,
    port,
    path,
    signal,
    agent: false,
    headers: { 'user-agent': 'weir-health' },
  } as const;
  return new Promise((resolve, reject) => {
    const request = tls ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    request.once('error', reject);
    request.once('response', (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= 200 && status < 400 ? undefined : `HTTP status ${status}`);
    });
    request.end();
  });
}

function words(error: unknown): string {
  if (error instanceof ExecFailed) return error.message;
  return errorText(error) || (errorCode(error) ?? 'failed');
}
