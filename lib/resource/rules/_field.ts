import type { FieldRules, RuledField } from "@xds/envoy/rules";
import { Wire } from "../_wire.ts";
import type { Broken } from "./_check.ts";
import { compile } from "./_compile.ts";
import { listRules, mapRules } from "./_several.ts";
import {
  lastOf,
  packed,
  type Scalar,
  scalarOf,
  scalarType,
  type Span,
  wrappedType,
} from "./_scalar.ts";

/** Where checks report to, and what they leave to it. */
export interface Visitor {
  /** Checks a message; `parts` are its payload, of which there are several if it came in pieces, which add up. */
  message(type: string, parts: readonly Span[], path: string): void;
  /** Checks what an `Any` holds. */
  any(parts: readonly Span[], path: string): void;
  /** Takes what was found. */
  add(path: string, broken: Broken): void;
}

/** Checks what a message has of a field, which is nothing if there are no spans. */
export type FieldCheck = (
  spans: readonly Span[],
  path: string,
  visitor: Visitor,
) => void;

/** A field, ready to be checked. */
export interface CompiledField {
  /** The wire types that it may come as. */
  readonly wires: readonly number[];
  readonly check: FieldCheck;
}

const ANY = "google.protobuf.Any";
const DURATION = "google.protobuf.Duration";

/**
 * What checks a field.
 *
 * @throws {Error} for a rule that is not known, so that none is passed over
 */
export function compileField(field: RuledField): CompiledField {
  const [, name, shape, type, given, keyType] = field;
  const rules = given ?? {};
  const wire = scalarType(type)?.wire ?? Wire.Bytes;
  if (shape === "list") {
    return { wires: [wire, Wire.Bytes], check: listCheck(name, type, rules) };
  }
  if (shape === "map") {
    return {
      wires: [Wire.Bytes],
      check: mapCheck(name, keyType!, type, rules),
    };
  }
  return {
    wires: [wire],
    check: shape === "one"
      ? implicitCheck(name, type, rules)
      : explicitCheck(name, type, rules),
  };
}

/** A scalar that is zero if it is absent. */
function implicitCheck(
  name: string,
  type: string,
  rules: FieldRules,
): FieldCheck {
  const check = compile<Scalar>(rules);
  const { zero, decode } = scalarType(type)!;
  const absent = check?.(zero);
  return (spans, path, visitor) => {
    const broken = spans.length > 0 ? check?.(decode(spans.at(-1)!)) : absent;
    if (broken) visitor.add(path + name, broken);
  };
}

/** What may be absent: a message, or one of a oneof. */
function explicitCheck(
  name: string,
  type: string,
  rules: FieldRules,
): FieldCheck {
  const check = valueCheck(type, rules, "");
  const kind = Object.keys(rules).find((kind) => rules[kind].required);
  const absent = kind &&
    { rule: `${kind}.required`, message: "value is required" };
  return (spans, path, visitor) => {
    if (spans.length > 0) check(spans, path + name, visitor);
    else if (absent) visitor.add(path + name, absent);
  };
}

function listCheck(name: string, type: string, rules: FieldRules): FieldCheck {
  const { count, unique, items } = listRules(rules.repeated ?? {});
  const check = valueCheck(type, items, "repeated.items.");
  const scalar = scalarType(type);
  return (spans, path, visitor) => {
    const values = scalar && scalar.wire !== Wire.Bytes
      ? spans.flatMap((span) => [...packed(span, scalar.wire)])
      : spans;
    const broken = count?.(values.length);
    if (broken) visitor.add(path + name, broken);
    const again = unique && scalar
      ? repetitions(values.map(scalar.decode))
      : undefined;
    for (let index = 0; index < values.length; index++) {
      const here = `${path}${name}[${index}]`;
      if (again?.has(index)) visitor.add(here, repeated);
      check([values[index]], here, visitor);
    }
  };
}

const repeated: Broken = {
  rule: "repeated.unique",
  message: "repeated value must contain unique items",
};

function repetitions(values: readonly Scalar[]): Set<number> {
  const seen = new Set<Scalar>();
  const again = new Set<number>();
  values.forEach((value, index) => {
    if (seen.has(value)) again.add(index);
    seen.add(value);
  });
  return again;
}

function mapCheck(
  name: string,
  keyType: string,
  type: string,
  rules: FieldRules,
): FieldCheck {
  const { count, keys, values } = mapRules(rules.map ?? {});
  const checkKey = compile<Scalar>(keys);
  const checkValue = valueCheck(type, values, "map.values.");
  const scalar = scalarType(type);
  const wire = scalar?.wire ?? Wire.Bytes;
  return (entries, path, visitor) => {
    const broken = count?.(entries.length);
    if (broken) visitor.add(path + name, broken);
    for (const entry of entries) {
      const key = scalarOf([entry], 1, keyType);
      const here = `${path}${name}[${
        typeof key === "string" ? JSON.stringify(key) : key
      }]`;
      const brokenKey = checkKey?.(key);
      if (brokenKey) {
        visitor.add(here, { ...brokenKey, rule: `map.keys.${brokenKey.rule}` });
      }
      const value = lastOf([entry], 2, wire);
      if (value) checkValue([value], here, visitor);
      else if (!scalar) checkValue([], here, visitor);
    }
  };
}

/** Checks one value that is there; the names of the rules that it may break get the prefix. */
function valueCheck(
  type: string,
  rules: FieldRules,
  prefix: string,
): FieldCheck {
  const { skip } = rules.message ?? {};
  if (type === ANY) {
    return skip
      ? () => {}
      : (parts, path, visitor) => visitor.any(parts, `${path}.`);
  }
  const decode = decoder(type);
  if (decode) {
    const check = compile<unknown>(rules);
    return (spans, path, visitor) => {
      const broken = check?.(decode(spans));
      if (broken) visitor.add(path, { ...broken, rule: prefix + broken.rule });
    };
  }
  // Rules of another kind take the place of the check of the message itself.
  if (rules.any || skip) return () => {};
  return (parts, path, visitor) => visitor.message(type, parts, `${path}.`);
}

/** What decodes a value that rules may be about; undefined for a message that has rules of its own. */
function decoder(
  type: string,
): ((spans: readonly Span[]) => unknown) | undefined {
  const scalar = scalarType(type);
  if (scalar) return (spans) => scalar.decode(spans.at(-1)!);
  const wrapped = wrappedType(type);
  if (wrapped) return (parts) => scalarOf(parts, 1, wrapped);
  if (type === DURATION) {
    return (parts) => [
      Number(scalarOf(parts, 1, "int64")),
      Number(scalarOf(parts, 2, "int32")),
    ];
  }
}
