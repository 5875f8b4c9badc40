import type { FieldRules } from "@xds/envoy/rules";
import { type Check, only, type Rules } from "./_check.ts";

/** Rules of a list, apart. */
export interface ListRules {
  readonly count: Check<number> | undefined;
  readonly unique: boolean;
  readonly items: FieldRules;
}

/** Takes the rules of a list apart. */
export function listRules(rules: Rules): ListRules {
  const { min_items, max_items, unique, items = {} } = rules as {
    min_items?: number;
    max_items?: number;
    unique?: boolean;
    items?: FieldRules;
  };
  const count = min_items === undefined && max_items === undefined
    ? undefined
    : countCheck(min_items ?? 0, max_items ?? Infinity);
  only(rules, ["min_items", "max_items", "unique", "items"], () => undefined);
  return { count, unique: unique === true, items };
}

function countCheck(min: number, max: number): Check<number> {
  const wording = min === 0
    ? `no more than ${max} item(s)`
    : max === Infinity
    ? `at least ${min} item(s)`
    : min === max
    ? `exactly ${min} item(s)`
    : `between ${min} and ${max} items, inclusive`;
  const message = `value must contain ${wording}`;
  return (size) =>
    size < min
      ? { rule: "repeated.min_items", message }
      : size > max
      ? { rule: "repeated.max_items", message }
      : undefined;
}

/** Rules of a map, apart. */
export interface MapRules {
  readonly count: Check<number> | undefined;
  readonly keys: FieldRules;
  readonly values: FieldRules;
}

/** Takes the rules of a map apart. */
export function mapRules(rules: Rules): MapRules {
  const { min_pairs, keys = {}, values = {} } = rules as {
    min_pairs?: number;
    keys?: FieldRules;
    values?: FieldRules;
  };
  const message = `value must contain at least ${min_pairs} pair(s)`;
  const count = min_pairs === undefined
    ? undefined
    : (size: number) =>
      size < min_pairs ? { rule: "map.min_pairs", message } : undefined;
  only(rules, ["min_pairs", "keys", "values"], () => undefined);
  return { count, keys, values };
}
