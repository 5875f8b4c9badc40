import { ruledMessages } from "@xds/envoy/rules";
import { type CompiledField, compileField } from "./_field.ts";

/** A message's rules, ready to be applied. */
export interface CompiledMessage {
  /** By number. */
  readonly fields: ReadonlyMap<number, CompiledField>;
  /** Which oneof a field is in, by the field's number. */
  readonly oneofs: ReadonlyMap<number, number>;
  /** The oneofs of which a field has to be set. */
  readonly required: readonly (readonly [oneof: number, name: string])[];
}

const compiled = new Map<string, CompiledMessage>();

/** The rules of a message; undefined if it has none and leads to none. Compiled when first asked for. */
export function compiledMessage(type: string): CompiledMessage | undefined {
  let message = compiled.get(type);
  if (!message) {
    if (!Object.hasOwn(ruledMessages(), type)) return undefined;
    const { fields, oneofs = [] } = ruledMessages()[type];
    message = {
      fields: new Map(fields.map((field) => [field[0], compileField(field)])),
      oneofs: new Map(
        oneofs.flatMap(([, , numbers], oneof) =>
          numbers.map((number) => [number, oneof] as const)
        ),
      ),
      required: oneofs.flatMap(([name, required], oneof) =>
        required ? [[oneof, name] as const] : []
      ),
    };
    compiled.set(type, message);
  }
  return message;
}
