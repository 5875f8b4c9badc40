const encoder = new TextEncoder();

/**
 * A 64-bit hash of some bytes: two lanes of MurmurHash3's 32-bit mixing with constants of their own.
 * Equal bytes give equal hashes on every machine; it is no defence against somebody who looks for a collision.
 */
export function hash64(bytes: Uint8Array, seed = 0): bigint {
  const words = bytes.length & ~3;
  let a = seed ^ 0x9747b28c;
  let b = seed ^ 0x2f0b4c47;
  for (let i = 0; i < words; i += 4) {
    const word = bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 |
      bytes[i + 3] << 24;
    a = mixA(a, word);
    b = mixB(b, word);
  }
  let tail = 0;
  for (let i = words; i < bytes.length; i++) {
    tail |= bytes[i] << (8 * (i - words));
  }
  a = finish(mixA(mixA(a, tail), bytes.length) ^ b);
  b = finish(mixB(mixB(b, tail), bytes.length) + a | 0);
  return BigInt(a >>> 0) << 32n | BigInt(b >>> 0);
}

/** A 64-bit hash of a text's UTF-8. */
export function hashText(text: string): bigint {
  return hash64(encoder.encode(text));
}

/** Sixteen hexadecimal digits. */
export function hex64(value: bigint): string {
  return BigInt.asUintN(64, value).toString(16).padStart(16, "0");
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
