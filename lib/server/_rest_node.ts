import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import {
  joined,
  type RestAnswer,
  type RestRequest,
  TooLarge,
} from "./_rest.ts";
import { headersOf, peerOf } from "./peer.ts";

/** Answers a request of `node:http` or `node:http2` over REST. */
export async function serveRest(
  request: Http2ServerRequest | IncomingMessage,
  response: Http2ServerResponse | ServerResponse,
  answer: (request: RestRequest) => Promise<RestAnswer>,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  // A client that goes away is told of by the response's end.
  request.on("error", () => {});
  const { status, headers, body } = await answer({
    method: request.method ?? "",
    path: pathOf(request),
    header: (name) => request.headers[name]?.toString(),
    headers: () => headersOf(request),
    read: (maxBytes) => read(request, maxBytes, gone.signal),
    peer: peerOf(request),
    gone: gone.signal,
  });
  if (gone.signal.aborted) return;
  request.resume();
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) {
    response.setHeader(name, value);
  }
  if (body) {
    response.setHeader("content-length", body.length);
    response.end(body);
  } else response.end();
}

/** The path of a request, without its query. */
export function pathOf(request: Http2ServerRequest | IncomingMessage): string {
  return request.url?.split("?", 1)[0] ?? "";
}

function read(
  request: Http2ServerRequest | IncomingMessage,
  maxBytes: number,
  gone: AbortSignal,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let parts: Uint8Array[] = [];
    let size = 0;
    request.on("data", (part: Uint8Array) => {
      // What comes after too much is read and dropped: a request that is not read cannot end.
      if (size > maxBytes) return;
      size += part.length;
      if (size > maxBytes) {
        parts = [];
        reject(new TooLarge(maxBytes));
      } else parts.push(part);
    });
    request.on("end", () => resolve(joined(parts, size)));
    gone.addEventListener("abort", () => reject(gone.reason));
  });
}
