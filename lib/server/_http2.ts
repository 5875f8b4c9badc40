import { Code, ConnectError } from "@connectrpc/connect";
import type { IncomingMessage } from "node:http";
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  Http2Session,
  ServerHttp2Stream,
} from "node:http2";
import { nextTick } from "node:process";
import { MessageReader, setStatus } from "./_grpc.ts";
import { grpcContentType, type StreamMethod } from "./_streams.ts";
import { headersOf, peerOf } from "./peer.ts";

const corked = new WeakSet<Http2Session>();

/**
 * Holds back what is written to a connection until all that is to be written now has been, so that responses of many
 * streams leave with one system call and not with one each. To be called after the first write.
 */
function cork({ session }: ServerHttp2Stream) {
  if (!session || corked.has(session)) return;
  const { socket } = session;
  corked.add(session);
  socket.cork();
  // Behind the tick in which the runtime hands the streams' frames to the socket.
  nextTick(() => {
    corked.delete(session);
    socket.uncork();
  });
}

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

  let writable = true;
  let scheduled = false;
  let finished = false;
  const flush = () => {
    scheduled = false;
    while (writable) {
      const frame = session.take();
      if (!frame) break;
      writable = stream.write(frame);
      cork(stream);
    }
    if (session.ended === undefined || finished) return;
    finished = true;
    signal.removeEventListener("abort", shutdown);
    if (stream.destroyed) return;
    const trailers: Record<string, string> = {};
    setStatus(session.ended, (name, value) => trailers[name] = value);
    response.addTrailers(trailers);
    response.end();
  };
  // Later, so that types that change at once leave in their order.
  session.wake = () => {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(flush);
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
    flush();
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
  stream.on("error", (error) => session.end(disconnected(error)));
  stream.on("close", () => session.end(disconnected(undefined)));
}

function disconnected(cause: unknown): ConnectError {
  return new ConnectError(
    "the client went away",
    Code.Canceled,
    undefined,
    undefined,
    cause,
  );
}
