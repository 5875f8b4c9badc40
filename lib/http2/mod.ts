/** The server's side of HTTP/2, without I/O. */
export {
  Connection,
  type ConnectionHandler,
  type ConnectionLimit,
  type ConnectionOptions,
} from "./connection.ts";
export { ConnectionError, ErrorCode } from "./errors.ts";
export { type HeaderBlock, headerBlock } from "./header_block.ts";
export type { Request } from "./request.ts";
export type { Stream, StreamHandler } from "./stream.ts";
