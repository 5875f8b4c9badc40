import { fromBinary } from "@bufbuild/protobuf";
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { ClusterLoadAssignmentSchema } from "@xds/envoy/envoy/config/endpoint/v3";
import { TypeUrl } from "../../mod.ts";
import { GrpcClient } from "../support/grpc_client.ts";

const folder = new URL("../../examples/", import.meta.url).pathname;

/** An example as its first lines say to run it, on a port that the system picks. */
class Example implements AsyncDisposable {
  readonly client: GrpcClient;
  readonly #process: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;

  private constructor(
    process: Deno.ChildProcess,
    output: ReadableStreamDefaultReader<string>,
    port: number,
  ) {
    this.#process = process;
    this.#output = output;
    this.client = new GrpcClient(port);
  }

  static async start(name: string): Promise<Example> {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net", `${folder}${name}`, "0"],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const output = process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    let text = "";
    while (!text.includes("\n")) {
      const { done, value } = await output.read();
      if (done) throw new Error(`${name} ended: ${text}`);
      text += value;
    }
    const [, port] = text.match(/serving .* on (\d+)\n/)!;
    return new Example(process, output, Number(port));
  }

  async [Symbol.asyncDispose]() {
    this.client[Symbol.dispose]();
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#output.cancel();
  }
}

Deno.test("an example of a cache has under thirty lines", async () => {
  for (const name of ["linear.ts", "mux.ts", "on_demand.ts", "custom.ts"]) {
    const text = await Deno.readTextFile(folder + name);
    const lines = text.replace(/\/\*[^]*?\*\//g, "").split("\n")
      .filter((line) => !/^\s*(\/\/.*)?$/.test(line));
    assertLess(lines.length, 30);
  }
});

const node = { id: "node", cluster: "edge" };

Deno.test("examples/linear.ts serves endpoints by name, and their changes", async () => {
  await using example = await Example.start("linear.ts");
  const stream = example.client.delta();
  const typeUrl = TypeUrl.ClusterLoadAssignment;
  stream.send({ node, typeUrl, resourceNamesSubscribe: ["users"] });
  const ports = [];
  for (let i = 0; i < 2; i++) {
    const { resources, nonce } = await stream.next();
    stream.send({ typeUrl, responseNonce: nonce });
    const [{ resource }] = resources;
    const { endpoints } = fromBinary(
      ClusterLoadAssignmentSchema,
      resource!.value,
    );
    const { hostIdentifier } = endpoints[0].lbEndpoints[0];
    const { address } = hostIdentifier.case === "endpoint"
      ? hostIdentifier.value.address!
      : {};
    ports.push(
      address?.case === "socketAddress" && address.value.portSpecifier.value,
    );
  }
  assertEquals(ports.toSorted(), [8001, 8002]);
  stream.cancel();
});

Deno.test("examples/mux.ts serves clusters by what a node says, and listeners", async () => {
  await using example = await Example.start("mux.ts");
  const names = [];
  for (const canary of [false, true]) {
    const stream = example.client.delta();
    stream.send({
      node: { ...node, metadata: { canary } },
      typeUrl: TypeUrl.Cluster,
    });
    names.push(...(await stream.next()).resources.map(({ name }) => name));
    stream.send({ typeUrl: TypeUrl.Listener });
    names.push(...(await stream.next()).resources.map(({ name }) => name));
    stream.cancel();
  }
  assertEquals(names, ["users", "web", "users-next", "web"]);
});

Deno.test("examples/on_demand.ts serves what is asked for, and what comes to be", async () => {
  await using example = await Example.start("on_demand.ts");
  const stream = example.client.delta();
  const typeUrl = TypeUrl.Cluster;
  const names = ["users", "orders"];
  stream.send({ node, typeUrl, resourceNamesSubscribe: names });
  const came: string[] = [];
  while (!came.includes("orders")) {
    const { resources, nonce } = await stream.next();
    stream.send({ typeUrl, responseNonce: nonce });
    for (const { resource } of resources) {
      came.push(fromBinary(ClusterSchema, resource!.value).name);
    }
  }
  assertEquals(came, names);
  stream.cancel();
});

Deno.test("examples/custom.ts tells the time", async () => {
  await using example = await Example.start("custom.ts");
  const stream = example.client.sotw();
  const typeUrl = "type.example.com/example.v1.Clock";
  stream.send({ node, typeUrl, resourceNames: ["now"] });
  const times = [];
  for (let i = 0; i < 2; i++) {
    const { resources, nonce } = await stream.next();
    stream.send({ typeUrl, resourceNames: ["now"], responseNonce: nonce });
    times.push(new TextDecoder().decode(resources[0].value));
  }
  assertMatch(times[0], /^\d{4}-\d\d-\d\dT.*Z$/);
  assertLess(Date.parse(times[0]), Date.parse(times[1]));
  stream.cancel();
  const other = example.client.sotw();
  other.send({ node, typeUrl: TypeUrl.Cluster });
  assertEquals((await other.status).details, `no ${TypeUrl.Cluster}`);
});
