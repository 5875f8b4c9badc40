import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Node } from "@xds/envoy/envoy/config/core/v3";
import type {
  DoubleMatcher,
  NodeMatcher,
  StringMatcher,
  StructMatcher,
  ValueMatcher,
} from "@xds/envoy/envoy/type/matcher/v3";

/** Matchers in a request, those in others included. */
const MAX_MATCHERS = 100;

/** Characters of a text that is looked for in each node. */
const MAX_TEXT = 1_024;

/**
 * Sees to it that matchers can be evaluated, at a cost that is known: they are evaluated for each client.
 *
 * @throws {ConnectError} with `UNIMPLEMENTED` for a regular expression, which could be made to take any time, and with
 * `INVALID_ARGUMENT` for what is no matcher, or too many
 */
export function checkMatchers(matchers: readonly NodeMatcher[]) {
  const count = { left: MAX_MATCHERS };
  for (const { nodeId, nodeMetadatas } of matchers) {
    spend(count);
    if (nodeId) checkText(nodeId);
    for (const { path, value } of nodeMetadatas) {
      for (let i = 0; i <= path.length; i++) spend(count);
      if (value) checkValue(value, count);
    }
  }
}

function checkValue(
  { matchPattern: pattern }: ValueMatcher,
  count: { left: number },
) {
  spend(count);
  if (pattern.case === "stringMatch") checkText(pattern.value);
  else if (pattern.case === "listMatch") {
    const { value } = pattern.value.matchPattern;
    if (value) checkValue(value, count);
  } else if (pattern.case === "orMatch") {
    for (const one of pattern.value.valueMatchers) checkValue(one, count);
  }
}

function checkText({ matchPattern: { case: kind, value } }: StringMatcher) {
  switch (kind) {
    case "exact":
    case "prefix":
    case "suffix":
    case "contains":
      if (value.length <= MAX_TEXT) return;
      throw new ConnectError(
        `a string matcher has ${value.length} characters, and may have ${MAX_TEXT}`,
        Code.InvalidArgument,
      );
    case "safeRegex":
      throw new ConnectError(
        "safe_regex is not supported: use exact, prefix, suffix or contains",
        Code.Unimplemented,
      );
    default:
      throw new ConnectError(
        `a string matcher has to be exact, prefix, suffix or contains, and this one is ${
          kind ?? "none"
        }`,
        Code.InvalidArgument,
      );
  }
}

function spend(count: { left: number }) {
  if (--count.left >= 0) return;
  throw new ConnectError(
    `a request has more than ${MAX_MATCHERS} matchers`,
    Code.InvalidArgument,
  );
}

/** Whether a node is one that any of the matchers means, which were checked; every one, if there are none. */
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
    default:
      return false;
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
