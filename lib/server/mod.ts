/** The discovery services over gRPC. */
export { type Observer, type ServerEvent, type StreamInfo } from "./events.ts";
export { type ClientCertificate, type Peer } from "./peer.ts";
export {
  type Limits,
  peerKey,
  type RoutesOptions,
  xdsRoutes,
} from "./routes.ts";
export {
  ListenError,
  serve,
  type ServeOptions,
  type XdsServer,
} from "./serve.ts";
export { TlsError, type TlsOptions } from "./tls.ts";
