import { fromBinary } from "@bufbuild/protobuf";
import type { Duration } from "@bufbuild/protobuf/wkt";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  type Resource,
  ResourceSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import type { Protocol } from "../protocol/mod.ts";
import { eachField, text, Wire } from "../resource/_wire.ts";
import { typeUrl } from "../resource/mod.ts";
import { HeldResource } from "./held.ts";

/** What a response says, in either protocol. */
export type Content = Omit<TestResponse, "names" | "ack" | "nack">;

/** What takes the answer to a response. */
export interface Answering {
  answer(response: TestResponse, error: string | undefined): void;
}

/** A response that a client received, and its answer. */
export class TestResponse {
  /** The type. */
  readonly typeUrl: string;
  /** `version_info`, or `system_version_info` in delta. */
  readonly version: string;
  /** By which an answer refers to it. */
  readonly nonce: string;
  /** The resources in it. */
  readonly resources: readonly HeldResource[];
  /** Names of resources that came without their bodies: their TTL starts anew. */
  readonly refreshed: readonly string[];
  /** Delta: names of resources that are gone or never were. */
  readonly removed: readonly string[];
  /** State of the world: names in `resource_errors`, which were asked for and do not exist. */
  readonly missing: readonly string[];
  readonly #client: Answering;

  /** Made by a client. */
  constructor(content: Content, client: Answering) {
    this.typeUrl = content.typeUrl;
    this.version = content.version;
    this.nonce = content.nonce;
    this.resources = content.resources;
    this.refreshed = content.refreshed;
    this.removed = content.removed;
    this.missing = content.missing;
    this.#client = client;
  }

  /** Names of the resources in it. */
  get names(): string[] {
    return this.resources.map(({ name }) => name);
  }

  /**
   * Accepts it. From then on the client holds what is in it.
   *
   * @throws {Error} if it was answered already, or its stream has ended
   */
  ack(): void {
    this.#client.answer(this, undefined);
  }

  /**
   * Refuses it. As Envoy does with clusters and listeners, the client refuses those of its resources that the message
   * names, and takes the others; if it names none, it refuses all.
   *
   * @throws {Error} if it was answered already, or its stream has ended
   */
  nack(message: string): void {
    this.#client.answer(this, message);
  }
}

/** Reads a response. `nameOf` finds the name in a message, for which state of the world has no other place. */
export function decodeResponse(
  protocol: Protocol,
  bytes: Uint8Array,
  nameOf: (typeUrl: string, bytes: Uint8Array) => string,
): Content {
  if (protocol === "delta") {
    const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
    const { typeUrl, nonce, systemVersionInfo } = response;
    return {
      typeUrl,
      nonce,
      version: systemVersionInfo,
      ...sorted(typeUrl, response.resources, systemVersionInfo),
      removed: response.removedResources,
      missing: [],
    };
  }
  const response = fromBinary(DiscoveryResponseSchema, bytes);
  const { typeUrl, nonce, versionInfo } = response;
  const wrapped = response.resources.map((any): Wrapped =>
    any.typeUrl === WRAPPER ? fromBinary(ResourceSchema, any.value) : {
      name: nameOf(typeUrl, any.value),
      version: versionInfo,
      resource: any,
    }
  );
  return {
    typeUrl,
    nonce,
    version: versionInfo,
    ...sorted(typeUrl, wrapped, versionInfo),
    removed: [],
    missing: response.resourceErrors.map(({ resourceName }) =>
      resourceName?.name ?? ""
    ),
  };
}

/** A message's name where its type does not say otherwise: its first field, as in all of Envoy's resource types. */
export function firstField(typeUrl: string, bytes: Uint8Array): string {
  let name = "";
  eachField(bytes, 0, bytes.length, ({ number, wire, start, end }) => {
    if (number === 1 && wire === Wire.Bytes) name = text(bytes, start, end);
  });
  if (name === "") {
    throw new TypeError(
      `the first field of a ${typeUrl} is no name: pass the client a { name } that finds it`,
    );
  }
  return name;
}

type Wrapped = Pick<Resource, "name" | "version" | "resource"> & {
  ttl?: Duration;
};

const WRAPPER = typeUrl(ResourceSchema);

/** Resources, apart from those that come without a body. */
function sorted(typeUrl: string, wrapped: readonly Wrapped[], version: string) {
  const resources: HeldResource[] = [];
  const refreshed: string[] = [];
  for (const { name, resource, ttl, ...own } of wrapped) {
    if (!resource) {
      refreshed.push(name);
      continue;
    }
    if (resource.typeUrl !== typeUrl) {
      throw new TypeError(
        `a response of ${typeUrl} holds a ${resource.typeUrl}`,
      );
    }
    resources.push(
      new HeldResource({
        typeUrl,
        name,
        version: own.version || version,
        ttl: ttl && milliseconds(ttl),
        bytes: resource.value,
      }),
    );
  }
  return { resources, refreshed };
}

function milliseconds({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}
