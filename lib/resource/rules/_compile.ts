import type { FieldRules } from "@xds/envoy/rules";
import { type Check, only, type Rules } from "./_check.ts";
import { durationRules } from "./_duration.ts";
import { numberRules } from "./_number.ts";
import { bytesRules, stringRules } from "./_text.ts";

type Maker = (rules: Rules) => Check<never>;

const numbers = [
  "float",
  "double",
  "int32",
  "int64",
  "uint32",
  "uint64",
  "sint32",
  "sint64",
  "fixed32",
  "fixed64",
  "sfixed32",
  "sfixed64",
];
const makers: Readonly<Record<string, Maker>> = {
  string: stringRules,
  bytes: bytesRules,
  bool: boolRules,
  enum: enumRules,
  duration: durationRules,
  ...Object.fromEntries(
    numbers.map((kind) => [kind, (rules: Rules) => numberRules(kind, rules)]),
  ),
};

/**
 * What checks the value of a field; undefined if its rules are for how many values there are, or whether there is one.
 *
 * @throws {Error} for a rule that is not known, so that none is passed over
 */
export function compile<T>(rules: FieldRules): Check<T> | undefined {
  const kind = Object.keys(rules).find((kind) => kind in makers);
  return kind ? makers[kind](rules[kind]) as Check<T> : undefined;
}

function boolRules(rules: Rules): Check<boolean> {
  const message = `value must equal ${rules.const}`;
  return only(
    rules,
    ["const"],
    (value) =>
      value === rules.const ? undefined : { rule: "bool.const", message },
  );
}

type Names = Readonly<Record<number, string>>;

function enumRules(rules: Rules): Check<number> {
  const { defined_only, not_in: forbidden } = rules as {
    defined_only?: readonly number[];
    not_in?: Names;
  };
  const defined = defined_only && new Set(defined_only);
  return only(rules, ["defined_only", "not_in"], (value) => {
    if (forbidden && value in forbidden) {
      const names = Object.values(forbidden).join(" ");
      return {
        rule: "enum.not_in",
        message: `value must not be in list [${names}]`,
      };
    }
    if (defined && !defined.has(value)) {
      return {
        rule: "enum.defined_only",
        message: "value must be one of the defined enum values",
      };
    }
  });
}
