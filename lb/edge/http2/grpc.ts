import type { RequestHead } from '../http1/request-head.ts';
import { valuesOf } from '../request/forward.ts';

/** How a gRPC client is told what HTTP says with a status (gRPC's mapping of HTTP to gRPC statuses). */
const statuses: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};
const unknown = 2;

export function isGrpc(head: RequestHead): boolean {
  return /^application\/grpc([+;]|$)/i.test(valuesOf(head, 'content-type'));
}

/** Field lines of an answer that consists of nothing but its end. */
export function grpcFields(status: number, text: string, requestId: string): string {
  const message = encodeURIComponent(text).replaceAll('%20', ' ');
  const code = statuses[status] ?? unknown;
  return `content-type: application/grpc\r\ngrpc-status: ${code}\r\ngrpc-message: ${message}\r\nx-request-id: ${requestId}\r\n`;
}
