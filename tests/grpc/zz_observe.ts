import {
  createResource,
  createSnapshot,
  serve,
  shortName,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { routes } from "../support/resources.ts";
import { Backend } from "./_backend.ts";
import { GrpcClient, implementations } from "./_client.ts";
import { backendCluster, echo } from "./_resources.ts";
const which = Deno.args[0];
const wait = Number(Deno.args[1] ?? 40_000);
const impl = implementations.find((i) => i.name === which)!;
await using one = await Backend.start("backend-one");
await using two = await Backend.start("backend-two");
await using three = await Backend.start("backend-three");
const cache = new SnapshotCache({ ads: true });
cache.set("n", createSnapshot({ resources: echo(one) }));
let t0 = performance.now();
const log = (s: string) =>
  console.log(`${which} +${(performance.now() - t0).toFixed(0)} ${s}`);
await using server = await serve({
  cache,
  hostname: "127.0.0.1",
  port: 0,
  observer: (e: any) => {
    if (["request", "open"].includes(e.kind)) return;
    const x = e.subscription
      ? [...e.subscription.names].join(",") +
        (e.subscription.wildcard ? " *" : "")
      : e.names
      ? e.names.join(",") + (e.removed?.length ? " removed " + e.removed : "")
      : "";
    log(
      `${e.kind} ${e.typeUrl ? shortName(e.typeUrl) : ""} ${x} ${
        e.nonce ?? ""
      } ${e.refusal?.message ?? ""} ${e.error ?? ""} ${
        e.waitingFor ? JSON.stringify(e.waitingFor) : ""
      } ${e.reason ?? ""}`,
    );
  },
});
await using client = await GrpcClient.start(impl, {
  node: "n",
  target: "echo",
  server,
});
log(await client.call());
await new Promise((r) => setTimeout(r, 500));
t0 = performance.now();
log("== move to two");
cache.set(
  "n",
  cache.get("n")!.with({
    set: [...backendCluster(two), routes("echo-routes", "backend-two")],
    delete: [{ typeUrl: TypeUrl.Cluster, name: "backend-one" }, {
      typeUrl: TypeUrl.ClusterLoadAssignment,
      name: "backend-one",
    }],
  }),
);
await client.answers("backend-two");
log("answered by two");
const end = performance.now() + wait;
let n = 0;
const bad: Record<string, number> = {};
while (performance.now() < end) {
  const l = await client.call();
  n++;
  if (l !== "OK backend-two") bad[l] = (bad[l] ?? 0) + 1;
  await new Promise((r) => setTimeout(r, 20));
}
log(`calls ${n} bad ${JSON.stringify(bad)}`);
log("== back to a new one");
const [c] = backendCluster(one);
cache.set(
  "n",
  createSnapshot({ resources: echo(one) }).with({
    set: [...backendCluster(two)],
  }),
);
for (let i = 0; i < 200; i++) {
  const l = await client.call();
  if (l !== "OK backend-two") {
    log(l);
    if (l === "OK backend-one") break;
  }
  await new Promise((r) => setTimeout(r, 20));
}
await new Promise((r) => setTimeout(r, 1000));
