import {
  type DescField,
  type DescMessage,
  type JsonValue,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";

type Fields = Record<string, unknown>;

/**
 * Encodes a message so that equal messages give equal bytes: entries of maps in the order of their keys.
 * (Fields already leave the encoder in the order of their numbers.)
 */
export function encodeCanonical(
  schema: DescMessage,
  message: Message,
): Uint8Array {
  return toBinary(
    schema,
    holdsMap(schema) ? sortedMessage(schema, message) : message,
  );
}

const known = new WeakMap<DescMessage, boolean>();

function holdsMap(schema: DescMessage): boolean {
  const answer = known.get(schema);
  if (answer !== undefined) return answer;
  const seen = new Set<DescMessage>();
  const search = (message: DescMessage): boolean => {
    if (seen.has(message)) return false;
    seen.add(message);
    return message.fields.some((field) =>
      field.fieldKind === "map" ||
      (field.message !== undefined && search(field.message))
    );
  };
  const found = search(schema);
  known.set(schema, found);
  return found;
}

/** The message itself if its maps are in order, or a copy in which they are; whatever was in order is shared. */
function sortedMessage<T extends Message>(schema: DescMessage, message: T): T {
  let copy: Fields | undefined;
  const put = (key: string, value: unknown) => {
    copy ??= Object.assign(
      Object.create(Object.getPrototypeOf(message)),
      message,
    ) as Fields;
    copy[key] = value;
  };
  for (const field of schema.fields) {
    if (
      field.fieldKind !== "map" &&
      (field.message === undefined || !holdsMap(field.message))
    ) continue;
    if (field.oneof) {
      const chosen = (message as unknown as Fields)[field.oneof.localName] as {
        case?: string;
        value?: unknown;
      };
      if (chosen.case !== field.localName) continue;
      const value = sortedValue(field, chosen.value);
      if (value !== chosen.value) {
        put(field.oneof.localName, { case: chosen.case, value });
      }
    } else {
      const before = (message as unknown as Fields)[field.localName];
      if (before === undefined) continue;
      const value = sortedValue(field, before);
      if (value !== before) put(field.localName, value);
    }
  }
  return (copy ?? message) as T;
}

function sortedValue(field: DescField, value: unknown): unknown {
  if (field.fieldKind === "list") {
    const list = value as unknown[];
    const sorted = list.map((item) => sortedItem(field.message!, item));
    return sorted.every((item, i) => item === list[i]) ? list : sorted;
  }
  if (field.fieldKind === "map") {
    const item = field.message;
    return sortedEntries(
      value as Fields,
      (entry) => item ? sortedItem(item, entry) : entry,
    );
  }
  return sortedItem(field.message!, value);
}

function sortedItem(schema: DescMessage, value: unknown): unknown {
  const isMessage = typeof value === "object" && value !== null &&
    "$typeName" in value;
  // A field of type google.protobuf.Struct is a plain JSON object in protobuf-es.
  return isMessage
    ? sortedMessage(schema, value as unknown as Message)
    : sortedJson(value as JsonValue);
}

function sortedJson(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const sorted = value.map(sortedJson);
    return sorted.every((item, i) => item === value[i]) ? value : sorted;
  }
  return sortedEntries(
    value,
    (item) => sortedJson(item as JsonValue),
  ) as JsonValue;
}

function sortedEntries(
  entries: Fields,
  sortItem: (item: unknown) => unknown,
): Fields {
  const sorted = Object.fromEntries(
    Object.keys(entries).sort().map((key) => [key, sortItem(entries[key])]),
  );
  const before = Object.keys(entries);
  const same = Object.keys(sorted).every((key, i) =>
    key === before[i] && sorted[key] === entries[key]
  );
  return same ? entries : sorted;
}
