import { type Check, inOrder, only, type Rules } from "./_check.ts";
import { range } from "./_range.ts";

/** Seconds and nanoseconds. */
export type Duration = readonly [seconds: number, nanos: number];

const longest = 315_576_000_000;

/** Rules of `google.protobuf.Duration`. */
export function durationRules(rules: Rules): Check<Duration> {
  const { lt, lte, gt, gte } = rules as Readonly<Record<string, Duration>>;
  const inRange = range<Duration>("duration", { lt, lte, gt, gte }, {
    compare: ([a, b], [c, d]) => a - c || b - d,
    format,
  });
  const names = ["lt", "lte", "gt", "gte", "required"];
  const isBounded = Object.keys(rules).some((name) => name !== "required");
  return only(
    rules,
    names,
    isBounded ? inOrder(valid, inRange) : () => undefined,
  );
}

const valid: Check<Duration> = ([seconds, nanos]) =>
  Math.abs(seconds) > longest || Math.abs(nanos) > 999_999_999
    ? { rule: "duration", message: "value is not a valid duration" }
    : undefined;

/** As Go writes it, and so Envoy: `1h0m5s`, `1.5s`, `20ms`. */
function format([seconds, nanos]: Duration): string {
  if (seconds === 0 && nanos === 0) return "0s";
  if (seconds === 0) {
    const [unit, size] = nanos < 1_000
      ? ["ns", 1]
      : nanos < 1_000_000
      ? ["µs", 1_000]
      : ["ms", 1_000_000];
    return `${nanos / Number(size)}${unit}`;
  }
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  const fraction = nanos === 0
    ? ""
    : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  return `${hours > 0 ? `${hours}h` : ""}${
    hours > 0 || minutes > 0 ? `${minutes}m` : ""
  }${seconds % 60}${fraction}s`;
}
