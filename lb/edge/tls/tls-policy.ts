import { constants } from 'node:crypto';

/**
 * What the edge speaks to clients: TLS 1.3, and 1.2 with forward secrecy and authenticated encryption only. Our order counts,
 * but who puts ChaCha20 first gets it: a phone without AES instructions. Nobody negotiates again: it costs us more than the client.
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
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
  ecdhCurve: 'X25519MLKEM768:X25519:P-256:P-384',
} as const;
