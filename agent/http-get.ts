import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ProbeTarget } from './probe-target.ts';

export type HttpTarget = Extract<ProbeTarget, { kind: 'http' }>;

export type HttpAnswer = {
  readonly status: number;
  readonly contentType: string;
  /** The beginning, as long as was asked for. */
  readonly body: string;
};

export type GetOptions = {
  readonly signal: AbortSignal;
  /** Bytes of the body that are kept; the rest is not waited for. */
  readonly keep: number;
  /** The server said something of class 1xx; the answer is still to come, or never comes. */
  readonly onInformation?: (status: number) => void;
};

/** One GET on a connection of its own: redirects are not followed, certificates not verified (Marathon §14.2). */
export function httpGet(
  target: HttpTarget,
  { signal, keep, onInformation }: GetOptions,
): Promise<HttpAnswer> {
  const { host, port, path, tls } = target;
  const headers = { 'user-agent': 'weir-health' };
  const options = { host, port, path, signal, agent: false, headers } as const;
  return new Promise((resolve, reject) => {
    const request = tls ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
    request.once('error', reject);
    request.on('information', ({ statusCode }) => onInformation?.(statusCode));
    request.once('upgrade', ({ statusCode = 101 }, socket) => {
      socket.destroy();
      resolve({ status: statusCode, contentType: '', body: '' });
    });
    request.once('response', (response) => {
      const { statusCode = 0, headers } = response;
      beginning(response, keep).then(
        (body) => resolve({ status: statusCode, contentType: headers['content-type'] ?? '', body }),
        reject,
      );
    });
    request.end();
  });
}

async function beginning(response: IncomingMessage, keep: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  if (keep > 0) {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= keep) break;
    }
  }
  response.destroy();
  return Buffer.concat(chunks).subarray(0, keep).toString();
}
