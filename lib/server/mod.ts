/** The discovery services over gRPC and REST. */
export type { Limits, RoutesOptions } from "./_streams.ts";
export type { Observer, ServerEvent, StreamInfo } from "./events.ts";
export { peerKey } from "./peer.ts";
export {
  restHandler,
  type RestHandlerOptions,
  type RestInfo,
  type RestOptions,
} from "./rest.ts";
export { xdsRoutes } from "./routes.ts";
export {
  ListenError,
  serve,
  type ServeOptions,
  type XdsServer,
} from "./serve.ts";
export { TlsError, type TlsOptions } from "./tls.ts";
