import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

type Rules = Readonly<Record<string, unknown>>;

/** Texts that a pattern takes and does not, by the pattern. */
const patterns: Readonly<Record<string, readonly [good: string, bad: string]>> =
  {
    "^[^?#]+[^?#/]$": ["/a/b", "/a/"],
  };

/** Values at the bounds of a field's rules, on both sides of each; none for rules that are not about a value. */
export function probes(kind: string, rules: Rules): JsonValue[] {
  if (kind === "string") return texts(rules);
  if (kind === "enum") return enums(rules);
  if (kind === "duration") return durations(rules);
  if (kind === "bool" && rules.const === true) {
    return [false, true];
  }
  if (/^(u?int|float|double)/.test(kind)) return numbers(kind, rules);
  return [];
}

function texts(rules: Rules): JsonValue[] {
  const made: JsonValue[] = [];
  const { min_len, min_bytes, max_len, max_bytes } = rules as Record<
    string,
    number
  >;
  const min = min_len ?? min_bytes;
  const max = max_len ?? max_bytes;
  if (min > 0 && !rules.ignore_empty) {
    made.push("x".repeat(min - 1), "x".repeat(min));
  }
  if (max > 0) made.push("x".repeat(max + 1), "x".repeat(max));
  if (max_len > 0 && max_len < 1_000) made.push("é".repeat(max_len));
  if (rules.well_known_regex === "HTTP_HEADER_NAME") {
    if (rules.strict === false) made.push("x\ny", "x-y");
    else made.push("x y", "x-y");
  }
  if (rules.well_known_regex === "HTTP_HEADER_VALUE") {
    if (rules.strict === false) made.push("x\ry", "x\ty");
    else made.push("x\u0001y", "x\u007fy", "x\ty", "é");
  }
  if (rules.pattern) {
    const known = patterns[rules.pattern as string];
    if (known) made.push(known[0], known[1]);
  }
  if (rules.in) {
    made.push("no such");
    for (const value of rules.in as string[]) made.push(value);
  }
  if (rules.prefix) made.push("x%", "%x", "%x%");
  return made;
}

function enums({ defined_only, not_in }: Rules): JsonValue[] {
  const made: JsonValue[] = [];
  const forbidden = Object.keys(not_in ?? {}).map(Number);
  if (defined_only) {
    const defined = defined_only as number[];
    made.push(Math.max(...defined) + 1);
    for (const value of defined) {
      if (!forbidden.includes(value)) made.push(value);
    }
  }
  for (const value of forbidden) made.push(value);
  return made.slice(0, 6);
}

function numbers(kind: string, rules: Rules): JsonValue[] {
  const step = /float|double/.test(kind) ? 0.5 : 1;
  const made: JsonValue[] = [];
  const lowest = kind.startsWith("u") ? 0 : -(2 ** 31);
  const highest = kind.endsWith("int32")
    ? 2 ** 32 - 1
    : Number.MAX_SAFE_INTEGER;
  const add = (value: number) => {
    if (value >= lowest && value <= highest) made.push(value);
  };
  const { lt, lte, gt, gte } = rules as Record<string, number>;
  if (lt !== undefined) [lt, lt - step].forEach(add);
  if (lte !== undefined) [lte + step, lte].forEach(add);
  if (gt !== undefined) [gt, gt + step].forEach(add);
  if (gte !== undefined) [gte - step, gte].forEach(add);
  if (rules.ignore_empty) return made.filter((value) => value !== 0);
  return made;
}

function durations(rules: Rules): JsonValue[] {
  const made: JsonValue[] = [];
  const near = (bound: unknown, nanos: number): string => {
    const [seconds, fraction] = bound as [number, number];
    const total = BigInt(seconds) * 1_000_000_000n + BigInt(fraction + nanos);
    const digits = String(total < 0n ? -total : total).padStart(10, "0");
    const sign = total < 0n ? "-" : "";
    return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}s`;
  };
  const { lt, lte, gt, gte } = rules;
  if (lt) made.push(near(lt, 0), near(lt, -1_000_000));
  if (lte) made.push(near(lte, 1), near(lte, 0));
  if (gt) made.push(near(gt, 0), near(gt, 1_000_000));
  if (gte) made.push(near(gte, -1), near(gte, 0));
  return made;
}

/** A copy of a JSON object with one field in place of its own, or without it (`undefined`). */
export function replaced(
  json: JsonObject,
  path: readonly (string | number)[],
  value: JsonValue | undefined,
): JsonObject {
  const copy = structuredClone(json);
  let at = copy as Record<string | number, JsonValue>;
  for (const step of path.slice(0, -1)) at = at[step] as typeof at;
  const last = path.at(-1)!;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}
