import type { View } from "../cache/mod.ts";
import type { Resource } from "../resource/mod.ts";
import {
  type Content,
  encodeDeltaResponse,
  encodeSotwResponse,
} from "./_encode.ts";

/** The two variants of xDS: state of the world, and delta (also called incremental). */
export type Protocol = "sotw" | "delta";

/** Bytes that a response leaves free before its message: a gRPC message's flag and length. */
export const PREFIX_BYTES = 5;

/** A response as it goes to any number of streams. Immutable, and encoded when the first of them sends it. */
export class Response {
  /** The type. */
  readonly typeUrl: string;
  /** `version_info`, or `system_version_info` in delta. */
  readonly version: string;
  /** Its own serial number; a stream is never sent one that is not above all that it was sent of the type before. */
  readonly serial: number;
  /** Names of the resources in it. */
  readonly names: readonly string[];
  /** Delta: names of resources that are gone or never were. */
  readonly removed: readonly string[];
  /** State of the world: names that were asked for and do not exist. */
  readonly missing: readonly string[];
  #encode: ((room: number) => Uint8Array) | undefined;
  #frame: Uint8Array | undefined;

  /** Made by {@linkcode Responses}. */
  constructor(
    protocol: Protocol,
    content: Omit<Content, "nonce" | "resources">,
    resources: readonly Resource[],
    serial: number,
  ) {
    this.typeUrl = content.typeUrl;
    this.version = content.version;
    this.serial = serial;
    this.names = resources.map((resource) => resource.name);
    this.removed = content.removed;
    this.missing = content.missing;
    const encode = protocol === "sotw"
      ? encodeSotwResponse
      : encodeDeltaResponse;
    this.#encode = (room) =>
      encode({ ...content, resources, nonce: this.nonce }, room);
  }

  /** The nonce that the client answers with. */
  get nonce(): string {
    return String(this.serial);
  }

  /** The response as one gRPC message, uncompressed, prefix included. The same bytes each time; not to be written to. */
  get frame(): Uint8Array {
    if (!this.#frame) {
      const frame = this.#encode!(PREFIX_BYTES);
      new DataView(frame.buffer).setUint32(1, frame.length - PREFIX_BYTES);
      this.#frame = frame;
      this.#encode = undefined;
    }
    return this.#frame;
  }
}

/** What a stream lacks of a view. */
export interface Lack {
  /** Resources to send. */
  readonly resources: readonly Resource[];
  /** Names to send as removed. */
  readonly removed: readonly string[];
}

/**
 * Makes the responses of one server and keeps those that another stream may need, so that a response that goes to many
 * streams is encoded once. One for each server.
 */
export class Responses {
  readonly #protocol: Protocol;
  readonly #views = new WeakMap<View, Shared>();
  readonly #nextSerial: () => number;

  /** @param nextSerial gives each response its number; each must be above the last */
  constructor(protocol: Protocol, nextSerial: () => number) {
    this.#protocol = protocol;
    this.#nextSerial = nextSerial;
  }

  /** A response with all resources of a view. Its serial number is above `above`. */
  whole(typeUrl: string, view: View, above: number): Response {
    const shared = this.#shared(view);
    if (!shared.whole || shared.whole.serial <= above) {
      shared.all ??= [...view.resources.values()];
      shared.whole = this.#make(typeUrl, view.version, {
        resources: shared.all,
        removed: [],
      }, []);
    }
    return shared.whole;
  }

  /** What a stream that holds all of an older view lacks of this one; the same object each time. */
  lack(view: View, base: View): Lack {
    const shared = this.#shared(view);
    let lack = shared.lacks.get(base);
    if (!lack) {
      const resources: Resource[] = [];
      const removed: string[] = [];
      for (const name of view.since(base)) {
        const resource = view.resources.get(name);
        if (resource) resources.push(resource);
        else if (base.resources.has(name)) removed.push(name);
      }
      shared.lacks.set(base, lack = { resources, removed });
    }
    return lack;
  }

  /** A response with some of a view. Its serial number is above `above`. */
  part(
    typeUrl: string,
    view: View,
    version: string,
    lack: Lack,
    missing: readonly string[],
    above: number,
  ): Response {
    const { parts, byLack } = this.#shared(view);
    const known = byLack.get(lack);
    if (known && known.serial > above) return known;
    const names = lack.resources.map((resource) => resource.name);
    const key = JSON.stringify([version, names, lack.removed, missing]);
    let response = parts.get(key)?.deref();
    if (!response || response.serial <= above) {
      response = this.#make(typeUrl, version, lack, missing);
      parts.set(key, new WeakRef(response));
    }
    // Only a lack found by comparing views is met again as the same object.
    byLack.set(lack, response);
    return response;
  }

  #make(
    typeUrl: string,
    version: string,
    lack: Lack,
    missing: readonly string[],
  ): Response {
    const content = { typeUrl, version, removed: lack.removed, missing };
    return new Response(
      this.#protocol,
      content,
      lack.resources,
      this.#nextSerial(),
    );
  }

  #shared(view: View): Shared {
    let shared = this.#views.get(view);
    if (!shared) {
      this.#views.set(
        view,
        shared = {
          lacks: new WeakMap(),
          byLack: new WeakMap(),
          parts: new Map(),
        },
      );
    }
    return shared;
  }
}

/** What streams share of a view, for as long as the view is in use. */
interface Shared {
  all?: readonly Resource[];
  whole?: Response;
  readonly lacks: WeakMap<View, Lack>;
  readonly byLack: WeakMap<Lack, Response>;
  /** Weak, since a selection that only one stream makes is not worth keeping once it was written. */
  readonly parts: Map<string, WeakRef<Response>>;
}
