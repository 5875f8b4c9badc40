import { Resource } from "../resource/mod.ts";

/** Copies plain data (objects, arrays, maps, sets), sharing immutable resources. */
export function copyOf<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Resource) return value;
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Map) {
    return new Map([...value].map(([key, its]) => [key, copy(its)]));
  }
  if (value instanceof Set) return new Set(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, its]) => [key, copy(its)]),
  );
}

/** Prints plain data so that equal data print alike; maps and sets in their order. */
export function print(value: unknown): string {
  if (value instanceof Resource) return `${value.name}@${value.version}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(print).join()}]`;
  if (value instanceof Set) return `{${[...value].map(print).join()}}`;
  const entries = value instanceof Map
    ? [...value].map(([key, its]) => [String(key), print(its)])
    : Object.entries(value).map(([key, its]) => [key, print(its)]);
  return `{${entries.map(([key, its]) => `${key}:${its}`).join()}}`;
}
