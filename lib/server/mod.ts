/** The discovery services over gRPC and REST. */
export type { RoutesOptions } from "./_streams.ts";
export type { Access, AuthorizationRequest } from "./access.ts";
export type { StatusAccess } from "./csds.ts";
export type {
  BlockedEvent,
  Observer,
  ServerEvent,
  StreamInfo,
} from "./events.ts";
export type { Keepalive, LimitName, Limits } from "./limits.ts";
export {
  type LogLevel,
  logObserver,
  type LogObserverOptions,
  type LogRecord,
} from "./log.ts";
export { peerKey, peerOf } from "./peer.ts";
export {
  restHandler,
  type RestHandlerOptions,
  type RestInfo,
  type RestOptions,
} from "./rest.ts";
export { xdsRoutes, type XdsRoutesOptions } from "./routes.ts";
export {
  type Address,
  ListenError,
  type RestServeOptions,
  serve,
  type ServeOptions,
  type XdsServer,
} from "./serve.ts";
export { TlsError, type TlsOptions } from "./tls.ts";
