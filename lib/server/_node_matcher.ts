import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type {
  DoubleMatcher,
  NodeMatcher,
  StringMatcher,
  StructMatcher,
  ValueMatcher,
} from "@xds/envoy/envoy/type/matcher/v3";
import { RequestError } from "../cache/mod.ts";

/**
 * Whether a node is one that any of the matchers means; every one, if there are none.
 *
 * @throws {RequestError} for a matcher that cannot be evaluated
 */
export function matchesNode(
  node: Node,
  matchers: readonly NodeMatcher[],
): boolean {
  return matchers.length === 0 ||
    matchers.some(({ nodeId, nodeMetadatas }) =>
      (!nodeId || matchesText(node.id, nodeId)) &&
      nodeMetadatas.every((matcher) => matchesStruct(node.metadata, matcher))
    );
}

function matchesText(text: string, matcher: StringMatcher): boolean {
  const { matchPattern: { case: kind, value }, ignoreCase } = matcher;
  const fold = (text: string) => ignoreCase ? text.toLowerCase() : text;
  switch (kind) {
    case "exact":
      return fold(text) === fold(value);
    case "prefix":
      return fold(text).startsWith(fold(value));
    case "suffix":
      return fold(text).endsWith(fold(value));
    case "contains":
      return fold(text).includes(fold(value));
    case "safeRegex":
      return regex(value.regex).test(text);
    default:
      throw new RequestError(
        "invalid_argument",
        `a string matcher has to be exact, prefix, suffix, contains or safe_regex, and this one is ${
          kind ?? "none"
        }`,
      );
  }
}

function regex(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, "u");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RequestError("invalid_argument", `safe_regex: ${reason}`, {
      cause,
    });
  }
}

function matchesStruct(
  metadata: JsonObject | undefined,
  { path, value: matcher }: StructMatcher,
): boolean {
  let value: JsonValue | undefined = metadata;
  for (const { segment } of path) {
    const isObject: boolean = typeof value === "object" && value !== null &&
      !Array.isArray(value);
    value = isObject && segment.case === "key"
      ? (value as JsonObject)[segment.value]
      : undefined;
  }
  return !matcher || matchesValue(value, matcher);
}

function matchesValue(
  value: JsonValue | undefined,
  { matchPattern: pattern }: ValueMatcher,
): boolean {
  switch (pattern.case) {
    case "presentMatch":
      return (value !== undefined) === pattern.value;
    case "nullMatch":
      return value === null;
    case "boolMatch":
      return value === pattern.value;
    case "doubleMatch":
      return typeof value === "number" && matchesNumber(value, pattern.value);
    case "stringMatch":
      return typeof value === "string" && matchesText(value, pattern.value);
    case "listMatch": {
      const { matchPattern: { value: one } } = pattern.value;
      return Array.isArray(value) && one !== undefined &&
        value.some((item) => matchesValue(item, one));
    }
    case "orMatch":
      return pattern.value.valueMatchers.some((one) =>
        matchesValue(value, one)
      );
    default:
      return false;
  }
}

function matchesNumber(value: number, { matchPattern }: DoubleMatcher) {
  if (matchPattern.case === "exact") return value === matchPattern.value;
  if (matchPattern.case !== "range") return false;
  return value >= matchPattern.value.start && value < matchPattern.value.end;
}
