import type {
  DescField,
  JsonObject,
  JsonValue,
  Registry,
} from "@bufbuild/protobuf";
import { type RuledField, ruledMessages } from "@xds/envoy/rules";
import type { Base } from "./_bases.ts";
import { probes, replaced } from "./_values.ts";

/** A base with one field changed. */
export interface Mutation {
  readonly base: Base;
  /** What was changed, and what to. */
  readonly label: string;
  /** The rule that it is about. */
  readonly rule: string;
  readonly json: JsonObject;
}

type Path = readonly (string | number)[];

/** Changes that no rule forbids and Envoy has no answer to. */
const UNANSWERED = [
  // Envoy takes an HTTP/3 health check of a cluster without QUIC, and crashes when it comes to check.
  "http_health_check codec_client_type = 2",
  // Envoy logs that it refuses it, and does not say so to the control plane.
  "custom_health_check.typed_config protocol = 2",
];

/** For each rule of each message in a base, changes that break it, and changes that just do not. */
export function mutations(base: Base, registry: Registry): Mutation[] {
  const made: Mutation[] = [];
  const visit = (type: string, at: JsonValue | undefined, path: Path) => {
    const message = registry.getMessage(type);
    if (!message || typeof at !== "object" || at === null) return;
    const object = at as JsonObject;
    const table = ruledMessages()[type];
    if (!table) return;
    const add = (rule: string, to: string, json: JsonObject) => {
      made.push({
        base,
        label: `${base.name}: ${path.join(".")} ${to}`,
        rule: `${type.split(".").slice(-2).join(".")}: ${rule}`,
        json,
      });
    };
    for (const field of table.fields) {
      const declared = message.fields.find(({ number }) =>
        number === field[0]
      )!;
      mutateField(base, path, object, field, declared, add);
    }
    for (const [name, required, numbers] of table.oneofs ?? []) {
      if (!required) continue;
      const set = message.fields.find((field) =>
        numbers.includes(field.number) && field.name in object
      );
      if (!set) continue;
      const json = replaced(base.json, [...path, set.name], undefined);
      add("oneof.required", `without ${name}`, json);
    }
    for (const [name, value] of Object.entries(object)) {
      const field = message.fields.find((field) => field.name === name);
      if (!field?.message) continue;
      const inner = field.message;
      const go = (value: JsonValue, path: Path) =>
        inner.typeName === "google.protobuf.Any"
          ? visit(anyType(value), value, path)
          : visit(inner.typeName, value, path);
      if (field.fieldKind === "message") go(value, [...path, name]);
      else {
        for (const [key, item] of Object.entries(value as JsonObject)) {
          const step = Array.isArray(value) ? Number(key) : key;
          go(item, [...path, name, step]);
        }
      }
    }
  };
  visit(base.type, base.json, []);
  return made.filter(({ label }) =>
    !UNANSWERED.some((end) => label.endsWith(end))
  );
}

function anyType(value: JsonValue): string {
  const url = (value as JsonObject)["@type"] as string;
  return url.slice(url.indexOf("/") + 1);
}

type Add = (rule: string, to: string, json: JsonObject) => void;

function mutateField(
  base: Base,
  path: Path,
  object: JsonObject,
  [, name, shape, , rules]: RuledField,
  declared: DescField,
  add: Add,
) {
  if (!rules) return;
  const here = [...path, name];
  const before = object[name];
  const put = (rule: string, value: JsonValue | undefined) => {
    const json = replaced(base.json, here, value);
    let at: JsonValue = json;
    for (const step of path) at = (at as JsonObject)[step];
    for (const other of declared.oneof?.fields ?? []) {
      if (other !== declared) delete (at as JsonObject)[other.name];
    }
    const text = JSON.stringify(value) ?? "absent";
    add(rule, `${name} = ${text.slice(0, 40)}`, json);
  };
  for (const [kind, own] of Object.entries(rules)) {
    if (own.required && before !== undefined) {
      put(`${kind}.required`, undefined);
    }
    if (shape === "list") {
      mutateList(before, own, put);
    } else if (kind === "map") {
      if (own.min_pairs && before) put("map.min_pairs", {});
      for (const [keyKind, key] of Object.entries(own.keys ?? {})) {
        const [value] = Object.values((before ?? {}) as JsonObject);
        if (value === undefined) continue;
        for (const name of probes(keyKind, key)) {
          put("map.keys", { [name as string]: value });
        }
      }
    } else {
      for (const value of probes(kind, own)) put(nameOf(kind, own), value);
    }
  }
}

function mutateList(
  before: JsonValue | undefined,
  rules: { readonly [rule: string]: unknown },
  put: (rule: string, value: JsonValue) => void,
) {
  const items = before as JsonValue[] | undefined;
  const { min_items, max_items, unique } = rules as Record<string, number>;
  if (items && items.length > 0) {
    if (min_items) {
      put("repeated.min_items", items.slice(0, min_items - 1));
      if (items.length >= min_items) {
        put("repeated.min_items", items.slice(0, min_items));
      }
    }
    if (max_items) {
      const many = (count: number) =>
        Array.from({ length: count }, (_, i) => items[i % items.length]);
      put("repeated.max_items", many(max_items + 1));
      put("repeated.max_items", many(max_items));
    }
    if (unique) put("repeated.unique", [...items, items[0]]);
  }
  const [[kind, own] = []] = Object.entries(rules.items ?? {});
  if (!kind) return;
  for (const value of probes(kind, own)) {
    put(`repeated.items.${nameOf(kind, own)}`, [value]);
  }
}

function nameOf(kind: string, rules: { readonly [rule: string]: unknown }) {
  const names = Object.keys(rules).filter((rule) =>
    rule !== "strict" && rule !== "ignore_empty"
  );
  return `${kind}.${names.join("+")}`;
}
