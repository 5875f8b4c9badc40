import {
  create,
  fromBinary,
  type JsonObject,
  type JsonValue,
  type Registry,
  toJson,
} from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import { PREFIX_BYTES } from "../protocol/mod.ts";
import { findTypes, type TypeUse } from "../resource/mod.ts";
import { resolve, UnknownTypeError } from "../resource/registry.ts";

/** The response that a gRPC message holds. */
export function responseIn(frame: Uint8Array): DiscoveryResponse {
  return fromBinary(DiscoveryResponseSchema, frame.subarray(PREFIX_BYTES));
}

/**
 * The types of all that is in a response, loaded.
 *
 * @throws {ConnectError} for a type that JSON cannot hold, since nobody knows it
 */
export async function registryFor(
  response: DiscoveryResponse,
  own?: Registry,
): Promise<Registry> {
  const uses: TypeUse[] = response.resources.flatMap((any, index) =>
    findTypes(any.typeUrl, any.value).map(({ typeName, path }) => ({
      typeName,
      path: [placeOf(index, any), path].filter(Boolean).join("."),
    }))
  );
  try {
    return await resolve(uses, own);
  } catch (cause) {
    if (!(cause instanceof UnknownTypeError)) throw cause;
    throw new ConnectError(
      `${cause.path}: JSON cannot hold a ${cause.typeName}, which is no message of Envoy's API: ` +
        "use gRPC, or give the server the message's schema",
      Code.Unimplemented,
      undefined,
      undefined,
      cause,
    );
  }
}

/**
 * Responses as JSON: each is encoded once, however many ask for it.
 */
export class JsonResponses {
  readonly #own: Registry | undefined;
  readonly #bodies = new WeakMap<
    Uint8Array,
    Promise<Uint8Array<ArrayBuffer>>
  >();

  /** @param own types that Envoy's API lacks */
  constructor(own: Registry | undefined) {
    this.#own = own;
  }

  /**
   * The response that a gRPC message holds, in protobuf's JSON, with fields named as in the protos.
   *
   * @throws {ConnectError} if something in it cannot be said in JSON; it says what
   */
  encode(frame: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    let body = this.#bodies.get(frame);
    if (!body) this.#bodies.set(frame, body = encode(frame, this.#own));
    return body;
  }
}

async function encode(
  frame: Uint8Array,
  own: Registry | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = responseIn(frame);
  const options = {
    registry: await registryFor(response, own),
    useProtoFieldName: true,
  };
  const resources = response.resources.map((any, index): JsonValue => {
    try {
      return toJson(AnySchema, any, options);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ConnectError(
        `${placeOf(index, any)} cannot be written as JSON: ${reason}`,
        Code.Internal,
        undefined,
        undefined,
        cause,
      );
    }
  });
  const rest = toJson(
    DiscoveryResponseSchema,
    create(DiscoveryResponseSchema, { ...response, resources: [] }),
    options,
  ) as JsonObject;
  return new TextEncoder().encode(JSON.stringify({ ...rest, resources }));
}

function placeOf(index: number, { typeUrl }: Any): string {
  return `resources[${index}] (${typeUrl})`;
}
