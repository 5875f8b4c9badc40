import {
  createRegistry,
  type JsonValue,
  type Registry,
} from "@bufbuild/protobuf";
import type { TypeUse } from "./references.ts";
import { typeName } from "./type_url.ts";

/** A message type that cannot be resolved. */
export class UnknownTypeError extends Error {
  /** The kind of error. */
  override readonly name = "UnknownTypeError";
  /** The message's full name. */
  readonly typeName: string;
  /** The field that uses it, as `filter_chains[0].filters[0].typed_config`; empty for the outermost message. */
  readonly path: string;

  /** Made by {@linkcode registryForJson}. */
  constructor(use: TypeUse, options?: ErrorOptions) {
    const where = use.path ? `${use.path}: ` : "";
    super(
      `${where}${use.typeName} is no message of Envoy's API: pass its schema in \`types\`, or correct its "@type"`,
      options,
    );
    this.typeName = use.typeName;
    this.path = use.path;
  }
}

/**
 * A registry of all message types that a JSON value names by `"@type"`, for `fromJson`. Their packages are loaded when
 * they are needed, so that none of Envoy's others are.
 *
 * @example A listener from JSON, or from YAML once that is parsed
 * ```ts
 * import { registryForJson } from "@xds/control-plane";
 * import { ListenerSchema } from "@xds/envoy/envoy/config/listener/v3";
 * import { fromJson } from "@bufbuild/protobuf";
 * import { assertEquals } from "@std/assert";
 *
 * const router = { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" };
 * const json = { name: "web", listener_filters: [{ name: "router", typed_config: router }] };
 * const listener = fromJson(ListenerSchema, json, { registry: await registryForJson(json) });
 * assertEquals(listener.listenerFilters[0].configType.case, "typedConfig");
 * ```
 *
 * @param options.types schemas of messages that Envoy's API lacks
 * @throws {UnknownTypeError} for a type that neither Envoy's API nor `types` has; it says where it is used
 */
export function registryForJson(
  json: JsonValue,
  options: { types?: Registry } = {},
): Promise<Registry> {
  return resolve(typesInJson(json), options.types);
}

/**
 * A registry of some types.
 *
 * @param own types that are looked up first
 * @throws {UnknownTypeError} for the first of them that is not known
 */
export async function resolve(
  uses: readonly TypeUse[],
  own: Registry = createRegistry(),
): Promise<Registry> {
  const names = uses.map(({ typeName }) => typeName).filter((name) =>
    !own.getMessage(name)
  );
  const { loadRegistry, UnknownTypesError } = await envoyTypes();
  try {
    return createRegistry(await loadRegistry(names), own);
  } catch (cause) {
    if (!(cause instanceof UnknownTypesError)) throw cause;
    const unknown = uses.find(({ typeName }) =>
      cause.typeNames.includes(typeName)
    )!;
    throw new UnknownTypeError(unknown, { cause });
  }
}

/** Every `"@type"` in a JSON value. */
function typesInJson(json: JsonValue, path = ""): TypeUse[] {
  if (typeof json !== "object" || json === null) return [];
  if (Array.isArray(json)) {
    return json.flatMap((item, index) =>
      typesInJson(item, `${path}[${index}]`)
    );
  }
  const type = json["@type"];
  const own = typeof type === "string"
    ? [{ typeName: typeName(type), path }]
    : [];
  const nested = Object.entries(json).flatMap(([name, value]) =>
    typesInJson(value, path ? `${path}.${name}` : name)
  );
  return [...own, ...nested];
}

/**
 * Envoy's registry, by a specifier that is not to be known ahead: a runtime looks through all that a module may ever
 * import as soon as that is loaded, which for this one costs as much as half a server does.
 */
function envoyTypes(): Promise<typeof import("./_envoy_types.ts")> {
  const { url } = import.meta;
  const extension = url.slice(url.lastIndexOf("."));
  return import(new URL(`./_envoy_types${extension}`, url).href);
}
