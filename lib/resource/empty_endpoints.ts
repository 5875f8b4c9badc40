import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { createResource, type Resource } from "./resource.ts";
import { TypeUrl } from "./type_url.ts";

/** A `ClusterLoadAssignment` without endpoints, which lets a cluster start that has none. */
export function emptyEndpoints(name: string): Resource {
  const bytes = new BinaryWriter()
    .tag(1, WireType.LengthDelimited).string(name).finish();
  return createResource({
    typeUrl: TypeUrl.ClusterLoadAssignment,
    name,
    bytes,
  });
}
