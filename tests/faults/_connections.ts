/** What a client may do wrong with its connection, again and again. */
import type { Http2Client } from "./_http2_client.ts";
import { request, type ServerScene } from "./_server_scene.ts";

/** Something that goes wrong at each call. */
export interface ConnectionFault {
  misbehave(): Promise<void>;
  /** How often something is wrong at each call. Default: once. */
  readonly times?: number;
  /** How many streams it keeps open. */
  readonly streams: number;
}

/** What a client does that connects, is at fault, and leaves, several times at each call. */
function visits(
  scene: ServerScene,
  times: number,
  misbehave: (client: Http2Client) => void,
): ConnectionFault {
  return {
    streams: 0,
    times,
    async misbehave() {
      for (let i = 0; i < times; i++) {
        using client = await scene.connect();
        misbehave(client);
        await client.flushed();
      }
    },
  };
}

type Make = (scene: ServerScene) => Promise<ConnectionFault>;

export const connections: Readonly<Record<string, Make>> = {
  async "never reads"(scene) {
    const stays = await scene.connect();
    scene.subscribe(stays);
    return {
      streams: 1,
      async misbehave() {
        using leaves = await scene.connect();
        scene.subscribe(leaves);
        await leaves.flushed();
      },
    };
  },

  // A byte a second, but that a second is a round here.
  async "gives room for a byte at a time"(scene) {
    const window = 1;
    const options = { window, onMessage: () => {} };
    const stays = await scene.connect(options);
    const stream = scene.subscribe(stays);
    return {
      streams: 1,
      async misbehave() {
        stays.grant(stream, window);
        using leaves = await scene.connect(options);
        leaves.grant(scene.subscribe(leaves), window);
        await leaves.flushed();
      },
    };
  },

  async "reads a byte at a time"(scene) {
    const stays = await scene.connect();
    scene.subscribe(stays);
    return {
      streams: 1,
      async misbehave() {
        await stays.read(1);
        using leaves = await scene.connect();
        scene.subscribe(leaves);
        await leaves.read(1);
      },
    };
  },

  async "sends a request a millisecond"(scene) {
    const times = 10;
    const stays = await scene.connect({ onMessage: () => {} });
    const stream = scene.subscribe(stays);
    return {
      streams: 1,
      times,
      async misbehave() {
        for (let i = 0; i < times; i++) {
          stays.send(stream, request("forged", `${i}`));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      },
    };
  },

  // deno-lint-ignore require-await
  async "reconnects a thousand times"(scene) {
    return visits(scene, 25, (client) => scene.subscribe(client));
  },

  // deno-lint-ignore require-await
  async "resets its streams at once"(scene) {
    const times = 20;
    return {
      streams: 0,
      times,
      async misbehave() {
        // A connection of its own each time, since one that goes on with it is ended.
        using client = await scene.connect({ onMessage: () => {} });
        for (let i = 0; i < times; i++) {
          client.reset(scene.subscribe(client));
        }
        await client.flushed();
      },
    };
  },

  // deno-lint-ignore require-await
  async "sends what is no HTTP/2"(scene) {
    const bytes = new Uint8Array(100).fill(0xff);
    return visits(scene, 5, (client) => client.sendBytes(bytes));
  },
};
