import type { Cache, Peer } from "../cache/mod.ts";
import type { Protocol } from "../protocol/mod.ts";
import { discoveryServices, streamedProtocol } from "../server/services.ts";
import type { Session } from "../server/_session.ts";
import { discoveryMethods, type StreamMethod } from "../server/_streams.ts";

/** One server for each cache, as in production: clients that lack the same are sent the same bytes. */
const servers = new WeakMap<
  Cache,
  Map<boolean | undefined, ReadonlyMap<string, StreamMethod>>
>();

/**
 * Opens a stream to a server of a cache.
 *
 * @throws {TypeError} if the type has no service
 */
export function openSession(cache: Cache, options: {
  protocol: Protocol;
  /** The type of a single-type service; undefined on ADS. */
  typeUrl: string | undefined;
  legacyWildcard: boolean | undefined;
  peer: Peer;
}): Session {
  const { protocol, typeUrl, legacyWildcard, peer } = options;
  const found = discoveryServices.find((known) => known.typeUrl === typeUrl);
  const method = found?.service.methods.find((known) =>
    streamedProtocol(known) === protocol
  );
  if (!found || !method) {
    const of = protocol === "sotw" ? "state of the world" : protocol;
    throw new TypeError(
      `no service streams ${typeUrl} by ${of}: use the aggregated one`,
    );
  }
  const path = `/${found.service.typeName}/${method.name}`;
  return methodsOf(cache, legacyWildcard).get(path)!.open(
    peer,
    () => new Headers(),
  );
}

function methodsOf(
  cache: Cache,
  legacyWildcard: boolean | undefined,
): ReadonlyMap<string, StreamMethod> {
  let variants = servers.get(cache);
  if (!variants) servers.set(cache, variants = new Map());
  let methods = variants.get(legacyWildcard);
  if (!methods) {
    // A client in a test takes its time, and is not to leave a timer behind.
    const limits = { openTimeout: Infinity };
    methods = discoveryMethods({ cache, legacyWildcard, limits }).streams;
    variants.set(legacyWildcard, methods);
  }
  return methods;
}
