import { cpuUsage, memoryUsage } from "node:process";

const { user, system } = cpuUsage();
console.log(
  JSON.stringify({ cpu: (user + system) / 1_000, memory: memoryUsage().rss }),
);
