/**
 * What the edge speaks to clients: TLS 1.3, and 1.2 with forward secrecy and authenticated encryption only. Strong ciphers are
 * so alike that the client's order is taken: phones without AES instructions prefer ChaCha20.
 */
export const contextOptions = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  honorCipherOrder: false,
  ecdhCurve: 'X25519MLKEM768:X25519:P-256:P-384',
} as const;
