/**
 * Whether the library took it: it throws on a stream that was just closed, and on fields that HTTP/2 allows once only. Neither must
 * end more than the one request.
 */
export function taken(what: () => void): boolean {
  try {
    what();
    return true;
  } catch {
    return false;
  }
}
