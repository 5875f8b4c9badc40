import { ConnectError } from "@connectrpc/connect";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { MessageReader, setStatus } from "./_grpc.ts";
import { Outbox, PART_BYTES } from "./_outbox.ts";
import { grpcContentType, type StreamMethod } from "./_streams.ts";
import { headersOf, peerOf } from "./peer.ts";
import { clientGone } from "./_status.ts";

/** Whether a request opens a gRPC stream. */
export function isGrpc(
  request: Http2ServerRequest | IncomingMessage,
): request is Http2ServerRequest {
  return request.method === "POST" && request.httpVersionMajor === 2 &&
    grpcContentType(request.headers["content-type"] ?? null);
}

/**
 * Serves a stream on `node:http2`'s own events. It does what the handler in routes.ts does by async iterables, for about
 * two thirds of the CPU time (tests/bench/fan_out.ts).
 */
export function serveStream(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  method: StreamMethod,
  signal: AbortSignal,
) {
  const { stream } = request;
  const session = method.open(peerOf(request), () => headersOf(request));
  const reader = new MessageReader(
    method.maxBytes,
    (message) => session.receive(message),
  );

  const outbox = Outbox.of(stream);
  let writable = true;
  let isWaiting = false;
  let finished = false;
  /** What is left of the response that is being written. */
  let rest: Uint8Array | undefined;
  const write = () => {
    if (stream.destroyed) rest = undefined;
    else if (writable) rest ??= session.take();
    if (writable && rest) {
      const part = rest.subarray(0, PART_BYTES);
      rest = rest.length > PART_BYTES ? rest.subarray(PART_BYTES) : undefined;
      writable = stream.write(part);
      return part.length;
    }
    isWaiting = false;
    if (session.ended !== undefined && !rest) finish();
    return 0;
  };
  const finish = () => {
    if (finished) return;
    finished = true;
    signal.removeEventListener("abort", shutdown);
    if (stream.destroyed) return;
    const trailers: Record<string, string> = {};
    setStatus(session.ended, (name, value) => trailers[name] = value);
    response.addTrailers(trailers);
    response.end();
  };
  session.wake = () => {
    if (isWaiting) return;
    isWaiting = true;
    outbox?.add({ write });
  };
  const shutdown = () => session.end(null);
  signal.addEventListener("abort", shutdown);
  if (signal.aborted) shutdown();

  response.writeHead(200, {
    "content-type": "application/grpc+proto",
    "grpc-accept-encoding": "identity",
  });
  stream.on("drain", () => {
    writable = true;
    session.wake();
  });
  stream.on("data", (chunk: Uint8Array) => {
    // What comes after the end is read and dropped: a stream that is not read cannot end.
    if (session.ended !== undefined) return;
    try {
      reader.read(chunk);
    } catch (error) {
      session.end(ConnectError.from(error));
    }
  });
  stream.on("end", () => session.end(null));
  stream.on("error", (error) => session.end(clientGone(error)));
  stream.on("close", () => {
    session.end(clientGone(undefined));
    finish();
  });
}
