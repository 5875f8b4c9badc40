import { eachField, type Field, text } from "../resource/_wire.ts";
import { checkName, type EntryCount } from "./_bounds.ts";

interface Known {
  readonly bytes: Uint8Array;
  readonly names: readonly string[];
}

/** How many bytes of lists are kept in all; beyond, they are forgotten and found again. */
const MOST_BYTES = 4 * 1024 * 1024;
/** Lists of fewer names cost less to read than to look up. */
const FEWEST_NAMES = 4;

const known = new Map<number, Known>();
let knownBytes = 0;

/**
 * Reads a run of names in a message, all of the same field, and moves the field's end to where the run ends. The same
 * bytes give the same array: a state-of-the-world client repeats its names in every request, as others of its group do.
 *
 * @throws {BoundsError} for more names than there may be
 * @throws {RangeError} for one that is too long
 */
export function readNames(
  bytes: Uint8Array,
  field: Field,
  entries: EntryCount,
): readonly string[] {
  const tag = field.number * 8 + field.wire;
  const first = field.start;
  let end = field.end;
  let count = 1;
  for (; bytes[end] === tag; count++) {
    let size = bytes[end + 1];
    let start = end + 2;
    if (size > 127) {
      size = (size & 127) | bytes[end + 2] << 7;
      // Names of 16 KiB and more are read one by one, as are those that the message cuts off.
      if (bytes[end + 2] > 127) break;
      start++;
    }
    if (!(start + size <= bytes.length)) break;
    end = start + size;
  }
  checkName(field.end - first);
  if (count < FEWEST_NAMES) {
    entries.add();
    return [text(bytes, first, field.end)];
  }
  entries.add(count);
  const run = bytes.subarray(first, end);
  const key = keyOf(run);
  const found = known.get(key);
  if (found && equal(found.bytes, run)) {
    field.end = end;
    return found.names;
  }
  const names = [text(bytes, first, field.end)];
  eachField(bytes, field.end, end, ({ start, end }) => {
    checkName(end - start);
    names.push(text(bytes, start, end));
  });
  field.end = end;
  keep(key, { bytes: run.slice(), names });
  return names;
}

function keep(key: number, entry: Known) {
  if (knownBytes > MOST_BYTES) {
    known.clear();
    knownBytes = 0;
  }
  knownBytes += entry.bytes.length - (known.get(key)?.bytes.length ?? 0);
  known.set(key, entry);
}

/** How many bytes of a list tell its key, about, if it is longer. */
const SAMPLES = 1_024;

/**
 * A number that lists mostly differ in which differ in anything. Of a long one, bytes are taken at steps that depend on
 * those before: equal steps may fall upon what all names have in common.
 */
function keyOf(bytes: Uint8Array): number {
  const { length } = bytes;
  const most = Math.max(1, Math.floor(length / SAMPLES) * 2);
  let key = length;
  for (let at = 0; at < length; at += 1 + (key >>> 8) % most) {
    key = Math.imul(key ^ bytes[at], 0x01000193);
  }
  return key;
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) {
    if (one[i] !== other[i]) return false;
  }
  return true;
}
