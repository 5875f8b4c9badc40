import { type Check, only, type Rules } from "./_check.ts";
import { range } from "./_range.ts";

/** Rules of numbers; bounds beyond 2^53 are texts. */
export function numberRules(
  kind: string,
  rules: Rules,
): Check<number | bigint> {
  const bound = (rule: string): number | bigint | undefined => {
    const given = rules[rule];
    return typeof given === "string" ? BigInt(given) : given as number;
  };
  const check = range<number | bigint>(kind, {
    lt: bound("lt"),
    lte: bound("lte"),
    gt: bound("gt"),
    gte: bound("gte"),
  }, { compare, format: String });
  const isEmptyIgnored = rules.ignore_empty === true;
  return only(
    rules,
    ["lt", "lte", "gt", "gte", "ignore_empty"],
    (value) => isEmptyIgnored && value === 0 ? undefined : check(value),
  );
}

function compare(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return a >= b ? 0 : NaN;
}
