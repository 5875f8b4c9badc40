import type {
  UniversalHandlerFn,
  UniversalServerRequest,
} from "@connectrpc/connect/protocol";
import type { FetchMethod } from "./_streams.ts";
import { peerKey, unknownPeer } from "./peer.ts";

/** gRPC and gRPC-Web put one before each message: a flag, and its size in four bytes. */
const PREFIX = 5;

/**
 * A handler that says so when a request is larger than is allowed. Connect, which is told the same limit, refuses it; it
 * also refuses one that unpacks to more, of which nothing is said.
 */
export function measured(
  serve: UniversalHandlerFn,
  { maxBytes, tooLarge }: FetchMethod,
): UniversalHandlerFn {
  return (request) => {
    const { body, contextValues, header } = request;
    if (!isStream(body)) return serve(request);
    const type = header.get("content-type") ?? "";
    const hasPrefix = type.startsWith("application/grpc");
    let told = false;
    const sizeIs = (size: number) => {
      if (told || size <= maxBytes) return;
      told = true;
      tooLarge(
        contextValues?.get(peerKey) ?? unknownPeer,
        `the request is larger than the ${maxBytes} bytes that are allowed`,
      );
    };
    if (!hasPrefix) sizeIs(Number(header.get("content-length") ?? 0));
    async function* read(body: AsyncIterable<Uint8Array>) {
      const prefix: number[] = [];
      let size = 0;
      for await (const chunk of body) {
        size += chunk.length;
        if (!hasPrefix) sizeIs(size);
        else if (prefix.length < PREFIX) {
          prefix.push(...chunk.subarray(0, PREFIX - prefix.length));
          if (prefix.length === PREFIX) {
            sizeIs(new DataView(Uint8Array.from(prefix).buffer).getUint32(1));
          }
        }
        yield chunk;
      }
    }
    return serve({ ...request, body: read(body) });
  };
}

function isStream(
  body: UniversalServerRequest["body"],
): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null &&
    Symbol.asyncIterator in body;
}
