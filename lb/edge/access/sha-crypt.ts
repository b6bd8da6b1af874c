import { hash } from 'node:crypto';

type Scheme = {
  readonly algorithm: 'sha256' | 'sha512';
  readonly bytes: number;
  /** Which of the three places of one group of the output is the first of the next. */
  readonly turn: 1 | 2;
};

const schemes: Readonly<Record<string, Scheme>> = {
  '5': { algorithm: 'sha256', bytes: 32, turn: 2 },
  '6': { algorithm: 'sha512', bytes: 64, turn: 1 },
};
const pattern = /^\$([56])\$(?:rounds=(\d{1,6})\$)?([^$:]{0,16})\$([./0-9A-Za-z]+)$/;
const defaultRounds = 5_000;
const leastRounds = 1_000;
/** So much is done at once before others get their turn. */
const roundsAtOnce = 200;
const longestPassword = 256;

/** A password against what crypt(3) made of it (`$5$`: SHA-256, `$6$`: SHA-512). Other kinds never match. */
export async function matchesCrypted(password: string, crypted: string): Promise<boolean> {
  const [, id = '', rounds, salt = '', expected] = pattern.exec(crypted) ?? [];
  const scheme = schemes[id];
  const secret = Buffer.from(password);
  if (scheme === undefined || secret.length > longestPassword) return false;
  const count = Math.max(leastRounds, Number(rounds ?? defaultRounds));
  return (
    encode(await digest(scheme, { secret, salt: Buffer.from(salt), rounds: count }), scheme) === expected
  );
}

type Input = { readonly secret: Buffer; readonly salt: Buffer; readonly rounds: number };

async function digest(scheme: Scheme, { secret, salt, rounds }: Input): Promise<Buffer> {
  const sum = (...parts: readonly Buffer[]) => hash(scheme.algorithm, Buffer.concat(parts), 'buffer');
  const mixed = sum(secret, salt, secret);
  const bits = [...secret.length.toString(2)].reverse();
  const choices = secret.length === 0 ? [] : bits.map((bit) => (bit === '1' ? mixed : secret));
  let current = sum(secret, salt, repeated(mixed, secret.length), ...choices);
  const [p, s] = [
    repeated(sum(repeated(secret, secret.length ** 2)), secret.length),
    repeated(sum(repeated(salt, salt.length * (16 + current[0]!))), salt.length),
  ];
  const none = Buffer.alloc(0);
  for (let round = 0; round < rounds; round++) {
    if (round % roundsAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
    const [first, last] = round % 2 === 1 ? [p, current] : [current, p];
    current = sum(first, round % 3 === 0 ? none : s, round % 7 === 0 ? none : p, last);
  }
  return current;
}

/** `length` bytes of `bytes` over and over. */
function repeated(bytes: Buffer, length: number): Buffer {
  return bytes.length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, bytes);
}

const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** crypt(3)'s own base 64 over three bytes that lie a third of the digest apart. */
function encode(bytes: Buffer, { bytes: length, turn }: Scheme): string {
  const third = Math.floor(length / 3);
  let places = [0, third, 2 * third];
  let text = '';
  for (let group = 0; group < third; group++) {
    text += letters(
      places.map((place) => bytes[place]!),
      4,
    );
    places = [0, 1, 2].map((at) => places[(at + turn) % 3]! + 1);
  }
  return text + (length === 32 ? letters([0, bytes[31]!, bytes[30]!], 3) : letters([0, 0, bytes[63]!], 2));
}

function letters(three: readonly number[], count: number): string {
  let rest = (three[0]! << 16) | (three[1]! << 8) | three[2]!;
  let text = '';
  for (let n = 0; n < count; n++) {
    text += alphabet[rest & 63];
    rest >>>= 6;
  }
  return text;
}
