import {
  type DescMessage,
  fromBinary,
  type MessageShape,
} from "@bufbuild/protobuf";
import { typeUrl } from "../resource/mod.ts";

/** A type of resources: its type URL, or the schema of its messages. */
export type ResourceType = string | DescMessage;

/** The type URL of a type. */
export function typeUrlOf(type: ResourceType): string {
  return typeof type === "string" ? type : typeUrl(type);
}

/** A resource as a client got it. */
export class HeldResource {
  /** Its type. */
  readonly typeUrl: string;
  /** Its name. */
  readonly name: string;
  /** Its own version; in state of the world, unless it has a TTL, that of the response which brought it. */
  readonly version: string;
  /** Time after which it is dropped unless it is refreshed, in milliseconds; undefined: never. */
  readonly ttl: number | undefined;
  /** Its message in protobuf's binary form. */
  readonly bytes: Uint8Array;

  /** Made by a client. */
  constructor(
    init: Pick<
      HeldResource,
      "typeUrl" | "name" | "version" | "ttl" | "bytes"
    >,
  ) {
    this.typeUrl = init.typeUrl;
    this.name = init.name;
    this.version = init.version;
    this.ttl = init.ttl;
    this.bytes = init.bytes;
  }

  /**
   * Decodes its message.
   *
   * @throws {TypeError} if the schema is that of another type
   */
  message<D extends DescMessage>(schema: D): MessageShape<D> {
    if (typeUrl(schema) !== this.typeUrl) {
      throw new TypeError(
        `${JSON.stringify(this.name)} is a ${this.typeUrl}, and no ${
          typeUrl(schema)
        }`,
      );
    }
    return fromBinary(schema, this.bytes);
  }
}
