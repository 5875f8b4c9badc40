import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import * as wkt from "@bufbuild/protobuf/wkt";
import { assert, assertEquals } from "@std/assert";
import { envoyVersion } from "../../examples/setup.ts";
import { bootstrap } from "../support/bootstrap.ts";
import { Envoy } from "../support/envoy.ts";

const root = new URL("../../", import.meta.url);

/** By version, what is not in the API that is generated, which is that of 1.40. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  "1.36": [
    "envoy.config.listener.v3.ListenerManager: not in proto/envoy.binpb",
    "envoy.config.listener.v3.ValidationListenerManager: not in proto/envoy.binpb",
  ],
};

/** What an Envoy says of itself: each of its extensions, with the types of its configuration. */
interface ServerInfo {
  version: string;
  node: { extensions: { name: string; type_urls?: string[] }[] };
}

Deno.test("every type that a real Envoy's extensions are configured by is among the generated", async () => {
  // It need not find its control plane for that: nothing listens on port 1.
  await using envoy = await Envoy.start(
    bootstrap({ node: "envoy", port: 1, source: "ads" }),
  );
  const info: ServerInfo = JSON.parse(await envoy.admin("/server_info"));
  const known = new Set(
    info.node.extensions.flatMap(({ type_urls = [] }) => type_urls),
  );
  assert(
    known.size > (envoyVersion() === "1.36" ? 300 : 350),
    `${info.version} says that it knows ${known.size} types`,
  );

  const image = await Deno.readFile(new URL("proto/envoy.binpb", root));
  const registry = createFileRegistry(
    fromBinary(wkt.FileDescriptorSetSchema, image),
  );
  const { exports } = JSON.parse(
    await Deno.readTextFile(new URL("gen/deno.json", root)),
  );
  const modules = new Set(Object.values(exports));
  const missing: string[] = [];
  for (const type of known) {
    const message = registry.getMessage(type);
    if (!message) {
      missing.push(`${type}: not in proto/envoy.binpb`);
      continue;
    }
    const { file } = message;
    const name = type.slice(file.proto.package.length + 1).replaceAll(".", "_");
    if (file.proto.package === "google.protobuf") {
      // Protobuf's own come from the library.
      if (!(`${name}Schema` in wkt)) {
        missing.push(`${type}: not in @bufbuild/protobuf/wkt`);
      }
      continue;
    }
    const source = await Deno.readTextFile(
      new URL(`gen/${file.name}_pb.ts`, root),
    );
    const folder = file.name.replace(/\/[^/]*$/, "");
    if (!source.includes(`export const ${name}Schema`)) {
      missing.push(`${type}: not in gen/${file.name}_pb.ts`);
    }
    if (!modules.has(`./${folder}/mod.ts`)) {
      missing.push(`${type}: ${folder} is not exported`);
    }
  }
  assertEquals(missing, OTHERS[envoyVersion()] ?? []);
});
