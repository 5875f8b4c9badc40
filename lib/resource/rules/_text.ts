import {
  type Broken,
  type Check,
  inOrder,
  only,
  type Rules,
} from "./_check.ts";
import { pattern, wellKnownPattern } from "./_pattern.ts";
import { quote } from "./_quote.ts";

interface StringRules {
  readonly min_len?: number;
  readonly max_len?: number;
  readonly min_bytes?: number;
  readonly max_bytes?: number;
  readonly pattern?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly in?: readonly string[];
  readonly well_known_regex?: string;
  readonly strict?: boolean;
  readonly ignore_empty?: boolean;
}

const known: readonly (keyof StringRules)[] = [
  "min_len",
  "max_len",
  "min_bytes",
  "max_bytes",
  "pattern",
  "prefix",
  "suffix",
  "in",
  "well_known_regex",
  "strict",
  "ignore_empty",
];

/** Rules of strings. */
export function stringRules(rules: Rules): Check<string> {
  const own = rules as StringRules;
  const { in: allowed, prefix, suffix, well_known_regex: wellKnown } = own;
  const checks: Check<string>[] = [];
  const add = (
    rule: string,
    message: string,
    holds: (value: string) => boolean,
  ) => {
    const broken = { rule: `string.${rule}`, message };
    checks.push((value) => holds(value) ? undefined : broken);
  };
  if (allowed) {
    add(
      "in",
      `value must be in list [${allowed.join(" ")}]`,
      (value) => allowed.includes(value),
    );
  }
  const characters = lengthRules("string", "len", own.min_len, own.max_len);
  if (characters) checks.push((value) => characters(codePoints(value)));
  const bytes = lengthRules("string", "bytes", own.min_bytes, own.max_bytes);
  if (bytes) checks.push((value) => bytes(utf8Length(value)));
  if (prefix !== undefined) {
    add(
      "prefix",
      `value does not have prefix ${quote(prefix)}`,
      (value) => value.startsWith(prefix),
    );
  }
  if (suffix !== undefined) {
    add(
      "suffix",
      `value does not have suffix ${quote(suffix)}`,
      (value) => value.endsWith(suffix),
    );
  }
  const regex = wellKnown
    ? wellKnownPattern(wellKnown, own.strict ?? true)
    : own.pattern;
  if (regex !== undefined) {
    const matcher = pattern(regex);
    add(
      wellKnown ? "well_known_regex" : "pattern",
      `value does not match regex pattern ${quote(regex)}`,
      (value) => matcher.test(value),
    );
  }
  const check = inOrder(...checks);
  return only(
    rules,
    known,
    own.ignore_empty
      ? (value) => value === "" ? undefined : check(value)
      : check,
  );
}

/** Rules of bytes. */
export function bytesRules(rules: Rules): Check<Uint8Array> {
  const { min_len, max_len } = rules as StringRules;
  const length = lengthRules("bytes", "len", min_len, max_len);
  return only(
    rules,
    ["min_len", "max_len"],
    ({ byteLength }) => length?.(byteLength),
  );
}

/** Bounds of a length; Envoy words them each in its own way. */
function lengthRules(
  kind: "string" | "bytes",
  unit: "len" | "bytes",
  min: number | undefined,
  max: number | undefined,
): Check<number> | undefined {
  if (min === undefined && max === undefined) return undefined;
  const isCharacters = kind === "string" && unit === "len";
  const what = isCharacters ? "characters" : "bytes";
  const broken = (rule: string, message: string): Broken => ({
    rule: `${kind}.${rule}_${unit}`,
    message,
  });
  let [tooShort, tooLong] = ["", ""];
  if (min === undefined || max === undefined) {
    tooShort = `value length must be at least ${min} ${what}`;
    tooLong = `value length must be at most ${max} ${what}`;
  } else if (min === max) {
    tooShort = tooLong = isCharacters
      ? `value must be ${min} characters`
      : `value length must be ${min} bytes`;
  } else {
    tooShort = tooLong = isCharacters
      ? `value must have between ${min} and ${max} characters inclusive`
      : `value length must be between ${min} and ${max} bytes, inclusive`;
  }
  const [short, long] = [broken("min", tooShort), broken("max", tooLong)];
  return (length) =>
    min !== undefined && length < min
      ? short
      : max !== undefined && length > max
      ? long
      : undefined;
}

function codePoints(value: string): number {
  let count = value.length;
  for (let i = 0; i < value.length - 1; i++) {
    const code = value.charCodeAt(i);
    if (code >= 0xd800 && code < 0xdc00) count--;
  }
  return count;
}

const encoder = new TextEncoder();

function utf8Length(value: string): number {
  // deno-lint-ignore no-control-regex
  return /^[\x00-\x7f]*$/.test(value)
    ? value.length
    : encoder.encode(value).byteLength;
}
