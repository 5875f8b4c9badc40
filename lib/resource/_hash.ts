const encoder = new TextEncoder();

/** A 64-bit number in two halves, each as a signed 32-bit integer: cheaper to add than a `bigint`, and not on the heap. */
export interface Hash {
  readonly high: number;
  readonly low: number;
}

/** A sum of hashes, in 64 bits. */
export class Sum implements Hash {
  high = 0;
  low = 0;

  /** A sum that goes on from another. */
  static of({ high, low }: Hash): Sum {
    const sum = new Sum();
    sum.high = high;
    sum.low = low;
    return sum;
  }

  /** To nothing. */
  reset() {
    this.high = 0;
    this.low = 0;
  }

  add({ high, low }: Hash): this {
    const total = (this.low >>> 0) + (low >>> 0);
    this.low = total | 0;
    this.high = this.high + high + (total > 0xffffffff ? 1 : 0) | 0;
    return this;
  }

  subtract({ high, low }: Hash): this {
    const total = (this.low >>> 0) - (low >>> 0);
    this.low = total | 0;
    this.high = this.high - high - (total < 0 ? 1 : 0) | 0;
    return this;
  }
}

/**
 * A 64-bit hash of some bytes: two lanes of MurmurHash3's 32-bit mixing with constants of their own.
 * Equal bytes give equal hashes on every machine; it is no defence against somebody who looks for a collision.
 */
export function hash64(
  bytes: Uint8Array,
  seed = 0,
  length: number = bytes.length,
): Hash {
  const words = length & ~3;
  let a = seed ^ 0x9747b28c;
  let b = seed ^ 0x2f0b4c47;
  for (let i = 0; i < words; i += 4) {
    const word = bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 |
      bytes[i + 3] << 24;
    a = mixA(a, word);
    b = mixB(b, word);
  }
  let tail = 0;
  for (let i = words; i < length; i++) {
    tail |= bytes[i] << (8 * (i - words));
  }
  const high = finish(mixA(mixA(a, tail), length) ^ b);
  return { high, low: finish(mixB(mixB(b, tail), length) + high | 0) };
}

/** Room for a text that is hashed. */
let room = new Uint8Array(256);

/** A 64-bit hash of a text's UTF-8. */
export function textHash(text: string): Hash {
  const size = writeText(text, 0);
  return hash64(room, 0, size);
}

/** The hash of a text, a zero byte, and the sixteen digits of another hash; what `textHash` gives for these, but faster. */
export function hashBoth(text: string, { high, low }: Hash): Hash {
  let at = writeText(text, DIGITS + 1);
  room[at++] = 0;
  for (const half of [high, low]) {
    for (let shift = 28; shift >= 0; shift -= 4) {
      const digit = half >>> shift & 15;
      room[at++] = digit < 10 ? 48 + digit : 87 + digit;
    }
  }
  return hash64(room, 0, at);
}

const DIGITS = 16;

/** Writes a text's UTF-8, with some room behind it. Returns where it ends. */
function writeText(text: string, behind: number): number {
  const most = text.length * 3 + behind;
  if (most > room.length) room = new Uint8Array(most * 2);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return encoder.encodeInto(text, room).written;
    room[i] = code;
  }
  return text.length;
}

/** A hash as one number. */
export function bigintOf({ high, low }: Hash): bigint {
  return BigInt(high >>> 0) << 32n | BigInt(low >>> 0);
}

/** Sixteen hexadecimal digits. */
export function digitsOf({ high, low }: Hash): string {
  return hex32(high) + hex32(low);
}

function hex32(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}

function mixA(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul(k << 15 | k >>> 17, 0x1b873593);
  hash ^= k;
  return Math.imul(hash << 13 | hash >>> 19, 5) + 0xe6546b64 | 0;
}

function mixB(hash: number, word: number): number {
  let k = Math.imul(word, 0x239b961b);
  k = Math.imul(k << 16 | k >>> 16, 0xab0e9789);
  hash ^= k;
  return Math.imul(hash << 17 | hash >>> 15, 5) + 0x561ccd1b | 0;
}

function finish(hash: number): number {
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return hash ^ hash >>> 16;
}
