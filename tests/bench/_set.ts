import type { Cost, Usage } from "./_commands.ts";
import { type Effort, runsOf, type Samples, type Side } from "./_measure.ts";

const WARM_UP = 10;
const ROUNDS = 10;

/** A case without clients: what it takes to set something, and to build it before if that counts. */
export function setCase(command: object, withBuilding: boolean) {
  return async (
    sides: readonly Side[],
    effort: Effort,
  ): Promise<Samples> => {
    await using stack = new AsyncDisposableStack();
    const servers = sides.map((side) => stack.use(side.start()));
    let revision = 0;
    const content = { Cluster: 10_000 };
    for (const server of servers) {
      await server.ask({
        ...command,
        do: "snapshot",
        content,
        revision: ++revision,
      });
      for (let i = 0; i < WARM_UP; i++) {
        await server.ask({ ...command, revision: ++revision });
      }
    }
    const samples: Samples = sides.map(() => []);
    for (const _ of runsOf(effort)) {
      for (const [i, server] of servers.entries()) {
        const before = await server.ask<Usage>({ do: "stat" });
        let cpu = 0;
        let wall = 0;
        for (let round = 0; round < ROUNDS; round++) {
          const cost = await server.ask<Cost>({
            ...command,
            revision: ++revision,
          });
          cpu += cost.cpu / ROUNDS;
          wall += cost.wall / ROUNDS;
        }
        const after = await server.ask<Usage>({ do: "stat" });
        const building = (after.building - before.building) / ROUNDS;
        samples[i].push({
          cpu: withBuilding ? cpu + building : cpu,
          // Building keeps one thread busy, so that its CPU time is its duration.
          wall: withBuilding ? wall + building : wall,
          rss: after.rss,
          peak: after.peak,
        });
      }
    }
    return samples;
  };
}
