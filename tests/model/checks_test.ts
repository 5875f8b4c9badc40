/** What the world of the models checks can be found wrong. */
import { assertThrows } from "@std/assert";
import { TypeUrl } from "../../lib/resource/mod.ts";
import { resources } from "./_resources.ts";
import { World, type WorldOptions } from "./_world.ts";

type Tamper = NonNullable<WorldOptions["tamper"]>;

const START = [
  "set Cluster a Endpoints a Listener l:rds=r Route r:to=a",
  "connect",
  "rest",
];
const MOVE = "set Cluster b Endpoints b Listener l:rds=r Route r:to=b";

function execute(
  commands: readonly string[],
  options: Partial<WorldOptions>,
): World {
  const world = new World({ protocol: "sotw", cache: "ads", ...options });
  for (const command of commands) world.execute(command);
  return world;
}

function without(typeUrl: string): Tamper {
  return (response) => response.typeUrl === typeUrl ? [] : [response];
}

const checks: readonly {
  message: string;
  commands: readonly string[];
  options: Partial<WorldOptions>;
}[] = [
  {
    message: "it lacks no Listener l",
    commands: START,
    options: { tamper: without(TypeUrl.Listener) },
  },
  {
    message: "timed out: type.googleapis.com/envoy.config.route",
    commands: [START[0], START[1], ...exchanges(8), "advance 16000"],
    options: { tamper: without(TypeUrl.RouteConfiguration) },
  },
  {
    message: "requests fail: Listener l lacks Cluster a",
    commands: [...START, MOVE, "rest"],
    options: { cache: "default", expectsOrder: true },
  },
  {
    message: "sent again: ClusterLoadAssignment [a]",
    commands: START,
    options: {
      tamper: (its) =>
        its.typeUrl === TypeUrl.ClusterLoadAssignment ? [its, its] : [its],
    },
  },
  {
    message: "more than 40 responses for one change",
    commands: START,
    options: {
      // Something else each time.
      tamper: (its) =>
        Array.from({ length: 50 }, (_, index) => ({
          ...its,
          typeUrl: TypeUrl.ClusterLoadAssignment,
          resources: resources(`Endpoints a:v=${index + 2}`),
        })),
    },
  },
  {
    message: "told too early: Cluster a is gone while it is subscribed",
    commands: [...START, "set Cluster a:v=2 Endpoints a Listener l:inline=a"],
    options: {
      protocol: "delta",
      client: "grpc",
      tamper: (its) =>
        its.typeUrl === TypeUrl.ClusterLoadAssignment
          ? [its, {
            ...its,
            typeUrl: TypeUrl.Cluster,
            resources: [],
            removed: ["a"],
          }]
          : [its],
    },
  },
  {
    message: "after draining: still Cluster a",
    commands: [...START, MOVE, "drain"],
    options: {
      protocol: "delta",
      tamper: (its) => [{ ...its, removed: [] }],
    },
  },
];

function exchanges(count: number): string[] {
  return Array.from({ length: count }, () => ["request", "response"]).flat();
}

for (const { message, commands, options } of checks) {
  Deno.test(`a world finds that ${message}`, () => {
    assertThrows(() => execute(commands, options), Error, message);
  });
}

Deno.test("a world finds that a type is not settled", () => {
  const world = execute(START.slice(0, 2), {});
  world.driver.settled.add = () => world.driver.settled;
  assertThrows(() => world.execute("rest"), Error, "not settled: Cluster");
});
