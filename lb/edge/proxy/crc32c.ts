/** Castagnoli's polynomial, reflected (RFC 3720 §B.4). Bit by bit: it is wanted once for a connection at most. */
const polynomial = 0x82f6_3b78;

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
