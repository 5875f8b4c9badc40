/** The server's side of HTTP/2, without I/O. */
export { TokenBucket } from "./_token_bucket.ts";
export type { ResetBudget } from "./_flood_guard.ts";
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
