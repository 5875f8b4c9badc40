import { type Field as FieldOfType, fields } from "@xds/envoy/fields";
import { eachField, text, Wire } from "./_wire.ts";
import { typeName, TypeUrl } from "./type_url.ts";
import { canonicalName } from "./xdstp.ts";

/** What a resource needs another resource for. */
export interface Reference {
  /** Type URL of the resource that is needed. */
  readonly typeUrl: string;
  /** Its name, or `"*"` where any of the type will do (scoped routes that come from a discovery service). */
  readonly name: string;
  /** The field that holds the name, from the resource's own fields down: `filter_chains[0].filters[0].typed_config.rds.route_config_name`. */
  readonly path: string;
  /** True if Envoy asks for it only when traffic needs it, so that nobody may wait for it to be asked for. */
  readonly onDemand: boolean;
}

/** A part of a resource that is no message of the type that it says it is. */
export interface Malformed {
  /** The field that holds the bytes. */
  readonly path: string;
  /** What is wrong with them. */
  readonly reason: string;
}

/** What {@linkcode findReferences} found. */
export interface References {
  /** In the order in which they occur. */
  readonly references: readonly Reference[];
  /** Parts that could not be read, and so may hold references that are not listed. */
  readonly malformed: readonly Malformed[];
}

/**
 * Finds which resources a resource refers to, in its encoded form, through every `Any` in it, however deep.
 * A reference whose config source is a file is left out: it is not a control plane's to serve.
 * An `Any` of a type that Envoy's API does not have is passed over.
 */
export function findReferences(typeUrl: string, bytes: Uint8Array): References {
  const references: Reference[] = [];
  const malformed: Malformed[] = [];
  visit(typeName(typeUrl), { bytes, start: 0, end: bytes.length }, "", {
    references,
    malformed,
  });
  return { references, malformed };
}

/** Where a message lies in a resource's bytes. */
interface Part {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

interface Found {
  readonly references: Reference[];
  readonly malformed: Malformed[];
}

/** A message's singular fields by number, decoded when asked for. */
class Parsed {
  readonly #varints = new Map<number, number>();
  readonly #payloads = new Map<number, Part>();

  constructor(part: Part) {
    eachField(part.bytes, part.start, part.end, (field) => {
      if (field.wire === Wire.Varint) {
        this.#varints.set(field.number, field.value);
      } else if (field.wire === Wire.Bytes) {
        this.#payloads.set(field.number, within(part, field));
      }
    });
  }

  varint(number: number): number {
    return this.#varints.get(number) ?? 0;
  }

  message(number: number): Part | undefined {
    return this.#payloads.get(number);
  }

  text(number: number): string {
    const payload = this.#payloads.get(number);
    return payload ? text(payload.bytes, payload.start, payload.end) : "";
  }
}

function within(
  part: Part,
  { start, end }: { start: number; end: number },
): Part {
  return { bytes: part.bytes, start, end };
}

/** What a message says of the resources it needs; fields by their numbers in Envoy's protos. */
type Rule = (message: Parsed, path: string, refer: Refer) => void;
type Refer = (
  typeUrl: string,
  name: string,
  path: string,
  onDemand?: boolean,
) => void;

const TLS = "envoy.extensions.transport_sockets.tls.v3.";
const FILTERS = "envoy.extensions.filters.network.";
const ANY = "google.protobuf.Any";
const EDS = 3;

const rules: Readonly<Record<string, Rule>> = {
  "envoy.config.cluster.v3.Cluster": (cluster, path, refer) => {
    if (cluster.varint(2) !== EDS) return;
    const part = cluster.message(3);
    const eds = part && new Parsed(part);
    if (isFile(eds?.message(1))) return;
    if (eds?.text(2)) {
      refer(
        TypeUrl.ClusterLoadAssignment,
        eds.text(2),
        `${path}eds_cluster_config.service_name`,
      );
    } else refer(TypeUrl.ClusterLoadAssignment, cluster.text(1), `${path}name`);
  },
  "envoy.config.route.v3.ScopedRouteConfiguration": (scope, path, refer) => {
    const onDemand = scope.varint(4) === 1;
    refer(
      TypeUrl.RouteConfiguration,
      scope.text(2),
      `${path}route_configuration_name`,
      onDemand,
    );
  },
  [`${FILTERS}http_connection_manager.v3.ScopedRds`]: (scoped, path, refer) => {
    if (isFile(scoped.message(1))) return;
    refer(
      TypeUrl.ScopedRouteConfiguration,
      scoped.text(2) || "*",
      `${path}scoped_rds_config_source`,
    );
  },
  [`${FILTERS}http_connection_manager.v3.Rds`]: routesFrom(
    TypeUrl.RouteConfiguration,
  ),
  [`${FILTERS}thrift_proxy.v3.Trds`]: routesFrom(
    TypeUrl.ThriftRouteConfiguration,
  ),
  [`${FILTERS}generic_proxy.v3.GenericRds`]: routesFrom(
    `type.googleapis.com/${FILTERS}generic_proxy.v3.RouteConfiguration`,
  ),
  [`${FILTERS}dubbo_proxy.v3.Drds`]: routesFrom(
    `type.googleapis.com/${FILTERS}dubbo_proxy.v3.MultipleRouteConfiguration`,
  ),
  [`${TLS}SdsSecretConfig`]: (secret, path, refer) => {
    const source = secret.message(2);
    if (source && !isFile(source)) {
      refer(TypeUrl.Secret, secret.text(1), `${path}name`);
    }
  },
};

function routesFrom(typeUrl: string): Rule {
  return (rds, path, refer) => {
    if (!isFile(rds.message(1))) {
      refer(typeUrl, rds.text(2), `${path}route_config_name`);
    }
  };
}

/** Messages that carry a name beside an `ExtensionConfigSource`: an extension's config by discovery (ECDS). */
const extensionRules = new Map<string, Rule>();
for (const [type, own] of Object.entries(fields)) {
  const source = own.find((field) =>
    field[3] === "envoy.config.core.v3.ExtensionConfigSource" &&
    field[2] === "one"
  );
  const name = own.find((field) =>
    field[1] === "name" && field[3] === "string"
  );
  if (!source || !name) continue;
  extensionRules.set(type, (extension, path, refer) => {
    const config = extension.message(source[0]);
    if (!config || isFile(new Parsed(config).message(1))) return;
    refer(TypeUrl.TypedExtensionConfig, extension.text(name[0]), `${path}name`);
  });
}

/** A `ConfigSource` that names a file (`path`, `path_config_source`). */
function isFile(source: Part | undefined): boolean {
  if (!source) return false;
  const parsed = new Parsed(source);
  return parsed.message(1) !== undefined || parsed.message(8) !== undefined;
}

function visit(type: string, part: Part, path: string, found: Found): void {
  const own = fields[type];
  if (!own) return;
  try {
    const rule = rules[type] ?? extensionRules.get(type);
    if (rule) {
      rule(new Parsed(part), path, (typeUrl, name, path, onDemand = false) => {
        if (name !== "") {
          found.references.push({
            typeUrl,
            name: canonicalName(name),
            path,
            onDemand,
          });
        }
      });
    }
    const counts = new Map<number, number>();
    eachField(part.bytes, part.start, part.end, (field) => {
      if (field.wire !== Wire.Bytes) return;
      const declared = own.find((candidate) =>
        candidate[0] === field.number && candidate[3] !== "string"
      );
      if (!declared) return;
      visitField(declared, within(part, field), path, counts, found);
    });
  } catch (error) {
    found.malformed.push({
      path: path.replace(/\.$/, ""),
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}

function visitField(
  [number, name, shape, type]: FieldOfType,
  payload: Part,
  path: string,
  counts: Map<number, number>,
  found: Found,
): void {
  let here = path + name;
  let value: Part | undefined = payload;
  if (shape === "list") {
    const index = counts.get(number) ?? 0;
    counts.set(number, index + 1);
    here += `[${index}]`;
  } else if (shape === "map") {
    const entry = new Parsed(payload);
    here += `[${JSON.stringify(entry.text(1))}]`;
    value = entry.message(2);
  }
  if (!value) return;
  if (type !== ANY) {
    visit(type, value, `${here}.`, found);
    return;
  }
  const any = new Parsed(value);
  const inner = any.message(2);
  if (inner) visit(typeName(any.text(1)), inner, `${here}.`, found);
}
