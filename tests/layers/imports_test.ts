import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url).href;

/** From the top down: each imports only what stands above it. */
const layers = [
  "gen",
  "lib/resource",
  "lib/cache",
  "lib/protocol",
  "lib/http2",
  "lib/server",
  "lib/telemetry",
  "lib/testing",
  "lib/client",
  "lib/source",
  "lib/cli",
];
const runAnywhere = ["lib/resource", "lib/cache", "lib/protocol"];

interface Graph {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: {
      specifier: string;
      isDynamic?: boolean;
      code?: { specifier?: string };
      type?: { specifier?: string };
    }[];
  }[];
}

/** All modules that a module may load, or takes types from, by path, each with what it imports. */
function graph(...entries: string[]): Promise<Map<string, string[]>> {
  return graphOf(entries, true);
}

async function graphOf(
  entries: readonly string[],
  withDynamic: boolean,
): Promise<Map<string, string[]>> {
  const modules = new Map<string, string[]>();
  for (const entry of entries) {
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
      cwd: new URL(root),
    }).output();
    assert(success, `deno info --json ${entry} failed`);
    const info: Graph = JSON.parse(new TextDecoder().decode(stdout));
    for (const { specifier, dependencies = [], error } of info.modules) {
      assertEquals(error, undefined, specifier);
      modules.set(
        path(specifier),
        dependencies.filter(({ isDynamic }) => withDynamic || !isDynamic)
          .flatMap(({ code, type }) =>
            [code, type].flatMap((to) =>
              to?.specifier ? [path(to.specifier)] : []
            )
          ),
      );
    }
  }
  return modules;
}

function path(specifier: string): string {
  return specifier.startsWith(root)
    ? specifier.slice(root.length)
    : specifier.replace(/^npm:\/*/, "npm:");
}

function layerOf(path: string): string | undefined {
  return layers.find((layer) => path.startsWith(`${layer}/`));
}

async function files(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (
    const { name, isDirectory } of Deno.readDir(new URL(folder, root))
  ) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await files(path));
    else if (path.endsWith(".ts")) found.push(path);
  }
  return found;
}

Deno.test("every folder of lib is a layer, and each layer imports only what stands above it", async () => {
  const own = await files("lib");
  const modules = await graph(
    "mod.ts",
    ...own.filter((file) => file.endsWith("/mod.ts")),
    // Loaded by a specifier that is made when it is needed.
    "lib/resource/_envoy_types.ts",
  );
  for (const file of own) {
    const layer = layerOf(file);
    assert(layer, `${file} is in none of the layers ${layers.join(", ")}`);
    const imports = modules.get(file);
    assert(imports, `${file} is imported by nothing`);
    for (const imported of imports) {
      const other = layerOf(imported);
      if (!imported.includes(":")) {
        assert(
          other && layers.indexOf(other) <= layers.indexOf(layer),
          `${file} imports ${imported}, which does not stand above it`,
        );
      }
    }
  }
});

Deno.test("resource, cache and protocol import nothing but @bufbuild/protobuf and gen", async () => {
  const modules = await graph(...runAnywhere.map((layer) => `${layer}/mod.ts`));
  const allowed = new RegExp(
    `^(gen|${runAnywhere.join("|")})/|^npm:@bufbuild/protobuf@[^/]*(/|$)`,
  );
  let seen = 0;
  for (const [file, imports] of modules) {
    for (const imported of imports) {
      seen++;
      assert(allowed.test(imported), `${file} imports ${imported}`);
    }
  }
  assert(seen > 100, `${seen} imports were looked at`);
});

Deno.test("HTTP/2 imports nothing but itself", async () => {
  const modules = await graph("lib/http2/mod.ts");
  for (const [file, imports] of modules) {
    assertEquals(layerOf(file), "lib/http2");
    for (const imported of imports) {
      assertEquals(layerOf(imported), "lib/http2", `${file}: ${imported}`);
    }
  }
  assert(modules.size > 10);
});

Deno.test("importing mod.ts loads what a server needs of gen, and never all of it", async () => {
  const imports = await graphOf(["mod.ts"], false);
  const reached = new Set(["mod.ts"]);
  for (const file of reached) {
    imports.get(file)?.forEach((imported) => reached.add(imported));
  }
  const loaded = [...reached].filter((file) => /^gen\/.*_pb\.ts$/.test(file));
  const all = (await files("gen")).filter((file) => file.endsWith("_pb.ts"));
  assert(loaded.includes("gen/envoy/config/cluster/v3/cluster_pb.ts"));
  assert(all.length > 500, `${all.length} in all`);
  assert(loaded.length < all.length / 4, `${loaded.length} of ${all.length}`);
});
