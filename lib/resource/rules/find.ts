import { eachField, Wire } from "../_wire.ts";
import { typeName } from "../type_url.ts";
import type { Broken } from "./_check.ts";
import type { Visitor } from "./_field.ts";
import { type CompiledMessage, compiledMessage } from "./_message.ts";
import { lastOf, scalarOf, type Span } from "./_scalar.ts";
import type { Violation } from "./violation.ts";

/**
 * Finds what a resource breaks of the rules of Envoy's protos, in its encoded form, through every `Any` in it, however
 * deep. An `Any` of a type that Envoy's API does not have is passed over, and so is what a `TypedStruct` stands for.
 */
export function findViolations(
  typeUrl: string,
  bytes: Uint8Array,
): readonly Violation[] {
  const search = new Search();
  const whole = { bytes, start: 0, end: bytes.length };
  search.message(typeName(typeUrl), [whole], "");
  return search.found.length > 0 ? search.found : none;
}

const none: readonly Violation[] = [];
const absent: readonly Span[] = [];

/** How deep messages may be nested in each other, which is what Envoy can decode. */
const DEEPEST = 100;

class Search implements Visitor {
  readonly found: Violation[] = [];
  #depth = 0;

  message(type: string, parts: readonly Span[], path: string) {
    const message = compiledMessage(type);
    if (!message) return;
    this.#depth++;
    try {
      if (this.#depth > DEEPEST) {
        throw new RangeError(`messages are nested deeper than ${DEEPEST}`);
      }
      this.#check(message, parts, path);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.add(path.replace(/\.$/, ""), { rule: "wire", message });
    }
    this.#depth--;
  }

  any(parts: readonly Span[], path: string) {
    const url = scalarOf(parts, 1, "string") as string;
    const value = lastOf(parts, 2, Wire.Bytes);
    const outer = this.#depth;
    this.#depth = 0;
    this.message(typeName(url), value ? [value] : absent, path);
    this.#depth = outer;
  }

  add(path: string, { rule, message }: Broken) {
    this.found.push({ path, rule, message });
  }

  #check(message: CompiledMessage, parts: readonly Span[], path: string) {
    const present = new Map<number, Span[]>();
    const chosen: number[] = [];
    for (const { bytes, start, end } of parts) {
      eachField(bytes, start, end, (field) => {
        const { number } = field;
        const oneof = message.oneofs.get(number);
        if (oneof !== undefined && chosen[oneof] !== number) {
          // Of the fields of a oneof, the last counts.
          present.delete(chosen[oneof]);
          chosen[oneof] = number;
        }
        if (!message.fields.get(number)?.wires.includes(field.wire)) return;
        const span = { bytes, start: field.start, end: field.end };
        const spans = present.get(number);
        if (spans) spans.push(span);
        else present.set(number, [span]);
      });
    }
    for (const [number, { check }] of message.fields) {
      check(present.get(number) ?? absent, path, this);
    }
    for (const [oneof, name] of message.required) {
      if (chosen[oneof] !== undefined) continue;
      this.add(path + name, { rule: "oneof.required", message: "is required" });
    }
  }
}
