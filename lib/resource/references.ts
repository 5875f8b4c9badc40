import { type Field as FieldOfType, fields } from "@xds/envoy/fields";
import { messages } from "@xds/envoy/messages";
import { clusterFields } from "./_cluster_fields.ts";
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
  /**
   * Secrets, extension configs and routes: tells config sources apart, since an Envoy requests what it already has once more where
   * the source differs. Left out for the plain aggregated stream.
   */
  readonly source?: string;
}

/** A part of a resource that cannot be read: no message of the type that it says it is, or of no type that is known. */
export interface Malformed {
  /** The field that holds the bytes; empty for the resource's own. */
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
 * A reference whose config source is a file, or a control plane of its own (`api_config_source`), is left out: only what
 * comes by the aggregated stream (`ads`) or from the same server (`self`) is this control plane's to serve.
 * An `Any` of a type that Envoy's API does not have is among what is malformed; a resource's own type may be any.
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

/** A message type, and where it is used. */
export interface TypeUse {
  /** The message's full name. */
  readonly typeName: string;
  /** The field that holds it; empty for a resource itself. */
  readonly path: string;
}

/** Finds which types a resource in its encoded form is made of: its own, and those of every `Any` in it, however deep. */
export function findTypes(typeUrl: string, bytes: Uint8Array): TypeUse[] {
  const types: TypeUse[] = [{ typeName: typeName(typeUrl), path: "" }];
  visit(typeName(typeUrl), { bytes, start: 0, end: bytes.length }, "", {
    references: [],
    malformed: [],
    types,
  });
  return types;
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
  /** What every `Any` is of, where that is asked for. */
  readonly types?: TypeUse[];
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
  more?: { onDemand?: boolean; source?: string },
) => void;

const TLS = "envoy.extensions.transport_sockets.tls.v3.";
const FILTERS = "envoy.extensions.filters.network.";
const ANY = "google.protobuf.Any";
const CONFIG_SOURCE = "envoy.config.core.v3.ConfigSource";
const EDS = 3;

const rules: Readonly<Record<string, Rule>> = {
  "envoy.config.cluster.v3.Cluster": (cluster, path, refer) => {
    if (cluster.varint(2) !== EDS) return;
    const part = cluster.message(3);
    const eds = part && new Parsed(part);
    if (isElsewhere(eds?.message(1))) return;
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
      { onDemand },
    );
  },
  [`${FILTERS}http_connection_manager.v3.ScopedRds`]: (scoped, path, refer) => {
    if (isElsewhere(scoped.message(1))) return;
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
    if (source && !isElsewhere(source)) {
      const key = { source: keyOf(source) };
      refer(TypeUrl.Secret, secret.text(1), `${path}name`, key);
    }
  },
};

function routesFrom(typeUrl: string): Rule {
  return (rds, path, refer) => {
    const from = rds.message(1);
    if (isElsewhere(from)) return;
    const key = { source: from && keyOf(from) };
    refer(typeUrl, rds.text(2), `${path}route_config_name`, key);
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
    const from = config && new Parsed(config).message(1);
    if (!config || isElsewhere(from)) return;
    const here = `${path}name`;
    const key = { source: from && keyOf(from) };
    refer(TypeUrl.TypedExtensionConfig, extension.text(name[0]), here, key);
  });
}

/**
 * A `ConfigSource` that names a file (`path`, `path_config_source`), or a control plane of its own (`api_config_source`).
 */
function isElsewhere(source: Part | undefined): boolean {
  if (!source) return false;
  const parsed = new Parsed(source);
  return [PATH, API_CONFIG_SOURCE, PATH_CONFIG_SOURCE]
    .some((field) => parsed.message(field) !== undefined);
}

const PATH = 1;
const API_CONFIG_SOURCE = 2;
const PATH_CONFIG_SOURCE = 8;

const latin1 = new TextDecoder("latin1");
/** `ads: {}, resource_api_version: V3`, and without the version. */
const plainSources: readonly string[] = ["\x1a\0\x30\x02", "\x1a\0"];

/** What tells config sources apart; undefined for the plain aggregated stream. */
function keyOf({ bytes, start, end }: Part): string | undefined {
  const key = latin1.decode(bytes.subarray(start, end));
  return plainSources.includes(key) ? undefined : key;
}

function visit(type: string, part: Part, path: string, found: Found): void {
  const own = fieldsOf(type);
  if (!own) return;
  try {
    if (type === ANY) return visitAny(new Parsed(part), path, found);
    const rule = rules[type] ?? extensionRules.get(type);
    if (rule) {
      rule(new Parsed(part), path, (typeUrl, said, path, more = {}) => {
        if (said === "") return;
        const { onDemand = false, source } = more;
        const name = canonicalName(said);
        const reference = { typeUrl, name, path, onDemand };
        found.references.push(source ? { ...reference, source } : reference);
      });
    }
    // What xDS itself comes from is no concern of what it carries, but made of messages all the same.
    if (type === CONFIG_SOURCE && !found.types) return;
    const counts = new Map<number, number>();
    const cluster = clusterFields[type];
    eachField(part.bytes, part.start, part.end, (field) => {
      if (field.wire !== Wire.Bytes) return;
      const declared = own.find(([number]) => number === field.number);
      if (!declared) return;
      const payload = within(part, field);
      if (declared[3] !== "string") {
        visitField(declared, payload, path, counts, found);
      } else if (declared[1] === cluster) {
        visitCluster(declared, payload, path, counts, found);
      }
    });
  } catch (error) {
    found.malformed.push({
      path: path.replace(/\.$/, ""),
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}

/** The path of a field, with its index if it is one of a list. */
function indexed(
  [number, name, shape]: FieldOfType,
  path: string,
  counts: Map<number, number>,
): string {
  if (shape !== "list") return path + name;
  const index = counts.get(number) ?? 0;
  counts.set(number, index + 1);
  return `${path}${name}[${index}]`;
}

function visitCluster(
  field: FieldOfType,
  { bytes, start, end }: Part,
  path: string,
  counts: Map<number, number>,
  { references }: Found,
): void {
  const here = indexed(field, path, counts);
  const name = canonicalName(text(bytes, start, end));
  if (name === "") return;
  const { Cluster: typeUrl } = TypeUrl;
  references.push({ typeUrl, name, path: here, onDemand: false });
}

function visitField(
  field: FieldOfType,
  payload: Part,
  path: string,
  counts: Map<number, number>,
  found: Found,
): void {
  const [, , shape, type] = field;
  let here = indexed(field, path, counts);
  let value: Part | undefined = payload;
  if (shape === "map") {
    const entry = new Parsed(payload);
    here += `[${JSON.stringify(entry.text(1))}]`;
    value = entry.message(2);
  }
  if (value) visit(type, value, `${here}.`, found);
}

/** The message in an `Any`, whose fields are named as if they were the fields of what holds the `Any`. */
function visitAny(any: Parsed, path: string, found: Found): void {
  const type = typeName(any.text(1));
  const value = any.message(2);
  if (type === "") {
    if (value) throw new TypeError("an Any that holds bytes has no type URL");
    return;
  }
  found.types?.push({ typeName: type, path: path.replace(/\.$/, "") });
  if (!isKnown(type)) {
    throw new TypeError(
      `an Any of type ${
        JSON.stringify(any.text(1))
      }, which Envoy's API does not have`,
    );
  }
  if (!value) return;
  if (fieldsOf(type)) visit(type, value, path, found);
  else eachField(value.bytes, value.start, value.end, () => {});
}

const namesOf = new Map<string, ReadonlySet<string>>();

/** Whether Envoy's API, or protobuf itself, has a message of that full name. */
function isKnown(type: string): boolean {
  if (type.startsWith("google.protobuf.")) return true;
  // A package's name ends before the first part that begins with a capital, as messages do.
  const end = type.search(/\.[A-Z]/);
  const name = type.slice(0, Math.max(end, 0));
  if (!Object.hasOwn(messages, name)) return false;
  let names = namesOf.get(name);
  if (!names) {
    namesOf.set(name, names = new Set(messages[name].split(" ")));
  }
  return names.has(type.slice(end + 1));
}

function fieldsOf(type: string): readonly FieldOfType[] | undefined {
  return Object.hasOwn(fields, type) ? fields[type] : undefined;
}
