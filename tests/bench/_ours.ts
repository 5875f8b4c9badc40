import { cpuUsage, memoryUsage } from "node:process";
import { serve, SnapshotCache } from "../../mod.ts";
import { answerCommands } from "./_child.ts";
import { clusters } from "./_clusters.ts";

const COUNT = 100;
const cache = new SnapshotCache();
let version = 1;
cache.set("node", clusters(COUNT, version));
const server = await serve({ cache, hostname: "127.0.0.1", port: 0 });
console.log(JSON.stringify(server.addr.port));

await answerCommands({
  async push() {
    const next = clusters(COUNT, ++version);
    const before = cpuUsage();
    cache.set("node", next);
    await cache.settled("node");
    const { user, system } = cpuUsage(before);
    return { cpu: (user + system) / 1_000 };
  },
  memory: () => memoryUsage().rss,
});
