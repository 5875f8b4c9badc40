import { ConnectionError, ErrorCode } from "./errors.ts";

/**
 * How long each symbol's code is (RFC 7541, Appendix B). The codes follow from that: in the order of their lengths, and
 * of the symbols within, each is the one before it plus one.
 */
const lengths: readonly (readonly [bits: number, symbols: string])[] = [
  [5, "48-50 97 99 101 105 111 115-116"],
  [6, "32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117"],
  [7, "58 66-87 89 106-107 113 118-122"],
  [8, "38 42 44 59 88 90"],
  [10, "33-34 40-41 63"],
  [11, "39 43 124"],
  [12, "35 62"],
  [13, "0 36 64 91 93 126"],
  [14, "94 125"],
  [15, "60 96 123"],
  [19, "92 195 208"],
  [20, "128 130-131 162 184 194 224 226"],
  [21, "153 161 167 172 176-177 179 209 216-217 227 229-230"],
  [
    22,
    "129 132-134 136 146 154 156 160 163-164 169-170 173 178 181 185-187 189-190 196 198 228 232-233",
  ],
  [
    23,
    "1 135 137-141 143 147 149-152 155 157-158 165-166 168 174-175 180 182-183 188 191 197 231 239",
  ],
  [24, "9 142 144-145 148 159 171 206 215 225 236-237"],
  [25, "199 207 234-235"],
  [26, "192-193 200-202 205 210 213 218-219 238 240 242-243 255"],
  [27, "203-204 211-212 214 221-223 241 244-248 250-254"],
  [28, "2-8 11-12 14-21 23-31 127 220 249"],
  [30, "10 13 22 256"],
];

/** The symbol that ends a text, which never does: a byte's rest is filled with the beginning of its code. */
const EOS = 256;

/**
 * What four bits more lead to, from each place within a code: the next place, and the symbol that is complete, of which
 * there is no more than one, since no code is shorter than five bits. -1 where nothing is: the code of EOS.
 */
interface Table {
  readonly next: Int16Array;
  /** Plus one; 0 if none is complete. */
  readonly symbol: Int16Array;
  /** Whether a text may end at a place: within a byte, after bits that begin EOS. */
  readonly mayEnd: Uint8Array;
}

let table: Table | undefined;

/**
 * Decodes a text in Huffman's code, from `start` to `end`, as Latin-1.
 *
 * @throws {ConnectionError} if it is none
 */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
): string {
  const { next, symbol, mayEnd } = table ??= makeTable();
  // No code is shorter than five bits.
  const decoded = new Uint8Array(Math.floor((end - start) * 8 / 5));
  let size = 0;
  let place = 0;
  for (let half = start * 2; half < end * 2; half++) {
    const byte = bytes[half >>> 1];
    const to = place << 4 | (half & 1 ? byte & 0xf : byte >>> 4);
    place = next[to];
    if (place < 0) throw invalid("holds the symbol EOS");
    if (symbol[to] > 0) decoded[size++] = symbol[to] - 1;
  }
  if (!mayEnd[place]) {
    throw invalid("is not padded with ones, or with too many");
  }
  return latin1(decoded, 0, size);
}

/** A text of bytes that are characters each. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  const MOST = 4_096;
  if (end - start <= MOST) {
    return String.fromCharCode.apply(
      null,
      bytes.subarray(start, end) as unknown as number[],
    );
  }
  let text = "";
  for (let at = start; at < end; at += MOST) {
    text += latin1(bytes, at, Math.min(at + MOST, end));
  }
  return text;
}

function invalid(what: string): ConnectionError {
  return new ConnectionError(
    ErrorCode.CompressionError,
    `a text in Huffman's code ${what}`,
  );
}

/** A place within the codes: what each bit leads to, a place or a symbol. */
type Place = [Place | number | undefined, Place | number | undefined];

function makeTable(): Table {
  const root: Place = [undefined, undefined];
  let code = 0;
  let last = 0;
  for (const [bits, symbols] of lengths) {
    for (const symbol of symbols.split(" ").flatMap(range)) {
      code <<= bits - last;
      last = bits;
      put(root, code++, bits, symbol);
    }
  }
  const places: Place[] = [root];
  for (const place of places) {
    for (const to of place) if (typeof to === "object") places.push(to);
  }
  const numbers = new Map(places.map((place, i) => [place, i]));
  const next = new Int16Array(places.length * 16);
  const symbol = new Int16Array(places.length * 16);
  for (const [i, from] of places.entries()) {
    for (let bits = 0; bits < 16; bits++) {
      let place = from;
      let isOver = false;
      for (let bit = 3; bit >= 0; bit--) {
        const to = place[bits >>> bit & 1];
        if (typeof to === "object") place = to;
        else if (to === EOS || to === undefined) isOver = true;
        else {
          symbol[i << 4 | bits] = to + 1;
          place = root;
        }
      }
      next[i << 4 | bits] = isOver ? -1 : numbers.get(place)!;
    }
  }
  const mayEnd = new Uint8Array(places.length);
  let place: Place | number | undefined = root;
  for (let bits = 0; bits < 8 && typeof place === "object"; bits++) {
    mayEnd[numbers.get(place)!] = 1;
    place = place[1];
  }
  return { next, symbol, mayEnd };
}

function range(text: string): number[] {
  const [from, to = from] = text.split("-").map(Number);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function put(root: Place, code: number, bits: number, symbol: number) {
  let place = root;
  for (let bit = bits - 1; bit > 0; bit--) {
    place = (place[code >>> bit & 1] ??= [undefined, undefined]) as Place;
  }
  place[code & 1] = symbol;
}
