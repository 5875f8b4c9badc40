import { staticTable } from "./_static_table.ts";

/** Fields of a response, encoded. It refers to nothing that was sent before, so that one block serves any connection. */
export type HeaderBlock = Uint8Array;

const indexes = new Map<string, number>();
const whole = new Map<string, number>();
for (const [i, [name, value]] of staticTable.entries()) {
  if (!indexes.has(name)) indexes.set(name, i + 1);
  whole.set(`${name}\n${value}`, i + 1);
}

const encoder = new TextEncoder();

/**
 * Encodes fields of a response. Names are made lower case.
 *
 * @example
 * ```ts
 * import { headerBlock } from "./header_block.ts";
 *
 * const block = headerBlock([[":status", "200"], ["content-type", "application/grpc"]]);
 * ```
 */
export function headerBlock(
  fields: Iterable<readonly [name: string, value: string]>,
): HeaderBlock {
  const bytes: number[] = [];
  for (const [given, value] of fields) {
    const name = given.toLowerCase();
    const index = whole.get(`${name}\n${value}`);
    if (index !== undefined) {
      putInteger(bytes, 0x80, 7, index);
      continue;
    }
    const nameIndex = indexes.get(name);
    putInteger(bytes, 0, 4, nameIndex ?? 0);
    if (nameIndex === undefined) putText(bytes, name);
    putText(bytes, value);
  }
  return Uint8Array.from(bytes);
}

function putText(bytes: number[], text: string) {
  const encoded = encoder.encode(text);
  putInteger(bytes, 0, 7, encoded.length);
  for (const byte of encoded) bytes.push(byte);
}

function putInteger(
  bytes: number[],
  first: number,
  prefix: number,
  value: number,
) {
  const most = (1 << prefix) - 1;
  if (value < most) {
    bytes.push(first | value);
    return;
  }
  bytes.push(first | most);
  for (value -= most; value >= 128; value = Math.floor(value / 128)) {
    bytes.push(value & 0x7f | 0x80);
  }
  bytes.push(value);
}
