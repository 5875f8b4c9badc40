import { cpuUsage, memoryUsage } from "node:process";
import { serve, SnapshotCache } from "../../mod.ts";

await serve({ cache: new SnapshotCache(), hostname: "127.0.0.1", port: 0 });
const { user, system } = cpuUsage();
console.log(
  JSON.stringify({ cpu: (user + system) / 1_000, memory: memoryUsage().rss }),
);
