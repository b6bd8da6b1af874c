const preface = Buffer.from('PRI * HTTP/2.0\r\n');

/** Whether an HTTP/2 connection begins here (RFC 9113 §3.4), as far as one can see. */
export function isPreface(buffer: Buffer, start: number, end: number): boolean {
  const length = Math.min(preface.length, end - start);
  return buffer.compare(preface, 0, length, start, start + length) === 0;
}
