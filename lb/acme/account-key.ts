import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';

/** A message as authorities take it: flattened JWS (RFC 7515 §7.2.2). */
export type SignedMessage = {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
};

/** How a message says who signed it: by the account, or by the key itself while there is no account. */
export type Signer = { readonly kid: string } | { readonly jwk: Jwk };

type Jwk = { readonly crv: string; readonly kty: string; readonly x: string; readonly y: string };

/** PEM of a new P-256 key. */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The key of an account: what is sent is signed with it (RFC 8555 §6.2). */
export class AccountKey {
  readonly #key: KeyObject;
  readonly jwk: Jwk;

  constructor(pem: string) {
    this.#key = createPrivateKey(pem);
    const { crv = '', kty = '', x = '', y = '' } = createPublicKey(this.#key).export({ format: 'jwk' });
    // In this order, which the thumbprint wants (RFC 7638 §3.2).
    this.jwk = { crv, kty, x, y };
  }

  /** What proves to the authority that whoever answers has this key (RFC 8555 §8.1). */
  authorization(token: string): string {
    const thumbprint = createHash('sha256').update(JSON.stringify(this.jwk)).digest('base64url');
    return `${token}.${thumbprint}`;
  }

  /** `payload` undefined: only reads (POST-as-GET). */
  sign(header: Signer & { readonly url: string; readonly nonce: string }, payload: unknown): SignedMessage {
    const head = encode({ alg: 'ES256', ...header });
    const content = payload === undefined ? '' : encode(payload);
    const key = { key: this.#key, dsaEncoding: 'ieee-p1363' } as const;
    const signature = sign('sha256', Buffer.from(`${head}.${content}`), key).toString('base64url');
    return { protected: head, payload: content, signature };
  }

  /** Shows that this key belongs to an account that the authority knows from elsewhere (RFC 8555 §7.3.4). */
  bind({ keyId, key }: { readonly keyId: string; readonly key: string }, url: string): SignedMessage {
    const head = encode({ alg: 'HS256', kid: keyId, url });
    const content = encode(this.jwk);
    const hmac = createHmac('sha256', Buffer.from(key, 'base64url')).update(`${head}.${content}`);
    return { protected: head, payload: content, signature: hmac.digest('base64url') };
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
