/** Requests as bytes, of forms that no client's library would write. */

/** A varint. */
function varint(value: number): number[] {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) {
    bytes.push(value % 128 | 128);
  }
  return [...bytes, value];
}

/** Parts one after the other. */
export function message(...parts: ArrayLike<number>[]): Uint8Array {
  return joined(parts);
}

/** However many parts. */
function joined(parts: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A field whose payload is bytes. */
export function bytesField(
  number: number,
  payload: ArrayLike<number>,
): Uint8Array {
  return message([number << 3 | 2, ...varint(payload.length)], payload);
}

/** A pattern again and again, for so many bytes. */
export function repeated(pattern: number[], bytes: number): Uint8Array {
  const all = new Uint8Array(bytes - bytes % pattern.length);
  for (let at = 0; at < all.length; at++) {
    all[at] = pattern[at % pattern.length];
  }
  return all;
}

/** An entry of a Struct: a key, and the fields of its value. */
export function value(key: string, fields: ArrayLike<number>): Uint8Array {
  const name = new TextEncoder().encode(key);
  return bytesField(1, message(bytesField(1, name), bytesField(2, fields)));
}

/** So many entries of a Struct. */
export function entries(count: number): Uint8Array {
  return joined(
    Array.from(
      { length: count },
      (_, index) => value(`k${index}`, [0x20, 1]),
    ),
  );
}
