/** What hostile clients do, each until it is stopped. */
import {
  END_HEADERS,
  frame,
  requestBlock,
  settingsFrame,
  uint32,
} from "../http2/_wire.ts";
import {
  delta,
  deltaRequests,
  names,
  requests,
  SIZE,
  sotw,
} from "./_messages.ts";
import { ADS, Attacker, DELTA_ADS } from "./_wire.ts";

/** What an attack is given. */
export interface Target {
  readonly port: number;
  /** The port of REST; undefined where there is none. */
  readonly restPort: number | undefined;
  readonly told: Set<string>;
  /** Whether it is to stop. */
  readonly isOver: () => boolean;
}

export type Attack = (target: Target) => Promise<void>;

const CSDS =
  "/envoy.service.status.v3.ClientStatusDiscoveryService/FetchClientStatus";
const FETCH = "/envoy.service.cluster.v3.ClusterDiscoveryService/FetchClusters";

/** Connects again and again, and attacks on each connection; with a rest for one that is cut. */
function again(
  attack: (attacker: Attacker, target: Target) => Promise<void>,
  settings: Record<string, number> = {},
): Attack {
  return async (target) => {
    while (!target.isOver()) {
      const attacker = await Attacker.connect(target.port, target.told);
      await attacker.begin(settings);
      try {
        await attack(attacker, target);
      } finally {
        attacker.close();
      }
    }
  };
}

/** Sends a request on one stream after the other. */
function request(make: () => Uint8Array, path = ADS): Attack {
  let bytes: Uint8Array | undefined;
  return again(async (attacker, { isOver }) => {
    bytes ??= make();
    for (let id = 1; !isOver() && !attacker.isClosed; id += 2) {
      await attacker.open(id, path);
      await attacker.message(id, bytes);
    }
  });
}

/** Sends bytes as fast as they are taken. */
function flood(bytes: Uint8Array, first?: Uint8Array): Attack {
  return again(async (attacker, { isOver }) => {
    if (first) await attacker.write(first);
    while (!isOver() && !attacker.isClosed) await attacker.write(bytes);
  });
}

/** Bytes again and again, about 16 KiB of them. */
function many(bytes: Uint8Array): Uint8Array {
  const count = Math.ceil(16_384 / bytes.length);
  const all = new Uint8Array(count * bytes.length);
  for (let i = 0; i < count; i++) all.set(bytes, i * bytes.length);
  return all;
}

const streamHeaders = requestBlock([
  [":path", ADS],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
]);

async function rest(target: Target, text: () => string) {
  while (!target.isOver()) {
    const socket = await Deno.connect({
      hostname: "127.0.0.1",
      port: target.restPort!,
    });
    const answers = (async () => {
      const room = new Uint8Array(64 * 1024);
      let isFirst = true;
      for (
        let size = await socket.read(room);
        size !== null;
        size = await socket.read(room)
      ) {
        if (!isFirst) continue;
        isFirst = false;
        target.told.add(new TextDecoder().decode(room.subarray(0, 12)));
      }
    })().catch(() => {});
    try {
      while (!target.isOver()) {
        const bytes = new TextEncoder().encode(text());
        for (let at = 0; at < bytes.length;) {
          at += await socket.write(bytes.subarray(at));
        }
      }
    } catch {
      target.told.add("connection closed");
    }
    socket.close();
    await answers;
  }
}

function post(body: string, length = body.length): string {
  return "POST /v3/discovery:clusters HTTP/1.1\r\nhost: a\r\n" +
    `content-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`;
}

/** Attacks by name. */
export const attacks: Record<string, Attack> = {
  "messages without end, on 200 streams": again(
    async (attacker, { isOver }) => {
      const bytes = sotw({ node: undefined, responseNonce: "stale" });
      const part = many(new Uint8Array([0, 0, 0, 0, bytes.length, ...bytes]));
      const ids = Array.from({ length: 200 }, (_, i) => 2 * i + 1);
      for (const id of ids) {
        await attacker.open(id);
        await attacker.message(id, sotw());
      }
      while (!isOver() && !attacker.isClosed) {
        for (const id of ids) await attacker.send(id, part);
      }
    },
  ),
  ...Object.fromEntries(
    Object.entries(requests).map(([name, make]) => [name, request(make)]),
  ),
  ...Object.fromEntries(
    Object.entries(deltaRequests).map((
      [name, make],
    ) => [name, request(make, DELTA_ADS)]),
  ),
  "100 000 names, others each time": again(async (attacker, { isOver }) => {
    for (let id = 1; !isOver() && !attacker.isClosed; id += 2) {
      await attacker.open(id);
      const resourceNames = names(100_000, id);
      await attacker.message(id, sotw({ resourceNames }));
    }
  }),
  "names that are subscribed to one by one": again(
    async (attacker, { isOver }) => {
      await attacker.open(1, DELTA_ADS);
      await attacker.message(1, delta({ resourceNamesSubscribe: ["first"] }));
      for (let i = 0; !isOver() && !attacker.isClosed; i++) {
        const resourceNamesSubscribe = [`name-${i}`];
        await attacker.message(
          1,
          delta({ node: undefined, resourceNamesSubscribe }),
        );
      }
    },
  ),
  "messages that do not come to their end": again(
    async (attacker, { isOver }) => {
      const part = new Uint8Array(SIZE - 10);
      part.set([0, ...uint32(SIZE)]);
      for (let id = 1; !isOver() && !attacker.isClosed; id += 2) {
        await attacker.open(id);
        await attacker.send(id, part);
      }
    },
  ),
  "responses that are not read": again(async (attacker, { isOver }) => {
    for (let id = 1; !isOver() && !attacker.isClosed; id += 2) {
      await attacker.open(id, DELTA_ADS);
      const resourceNamesSubscribe = Array.from(
        { length: 100 },
        (_, i) => `cluster-${(id * 7 + i) % 200}`,
      );
      await attacker.message(id, delta({ resourceNamesSubscribe }));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }, { INITIAL_WINDOW_SIZE: 1 }),
  "unary requests of listening addresses": again(
    async (attacker, { isOver }) => {
      const bytes = requests["listening addresses"]();
      for (let id = 1; !isOver() && !attacker.isClosed; id += 2) {
        await attacker.open(id, FETCH);
        await attacker.message(id, bytes);
        await attacker.write(frame("DATA", 1, id));
      }
    },
  ),
  "CSDS: everything, again and again": again(async (attacker, { isOver }) => {
    for (let id = 1; !isOver() && !attacker.isClosed; id += 2) {
      await attacker.open(id, CSDS);
      await attacker.message(id, new Uint8Array());
      await attacker.write(frame("DATA", 1, id));
    }
  }),
  "requests for everything, again and again": again(
    async (attacker, { isOver }) => {
      const bytes = sotw({ node: undefined });
      for (let id = 1; id < 200 && !isOver(); id += 2) {
        await attacker.open(id);
        await attacker.message(id, sotw());
      }
      while (!isOver() && !attacker.isClosed) {
        for (let id = 1; id < 200; id += 2) await attacker.message(id, bytes);
      }
    },
  ),
  "streams that are begun and reset": again(async (attacker, { isOver }) => {
    for (let id = 1; !isOver() && !attacker.isClosed; id += 2) {
      await attacker.write(
        frame("HEADERS", END_HEADERS, id, streamHeaders),
        frame("RST_STREAM", 0, id, uint32(8)),
      );
    }
  }),
  "PING": flood(many(frame("PING", 0, 0, new Uint8Array(8)))),
  "SETTINGS": flood(many(settingsFrame({ INITIAL_WINDOW_SIZE: 1_000 }))),
  "PRIORITY": flood(many(frame("PRIORITY", 0, 1, [0, 0, 0, 3, 1]))),
  "WINDOW_UPDATE": flood(many(frame("WINDOW_UPDATE", 0, 0, uint32(1)))),
  "empty DATA": flood(
    many(frame("DATA", 0, 1)),
    frame("HEADERS", END_HEADERS, 1, streamHeaders),
  ),
  "CONTINUATION without end": flood(
    many(frame("CONTINUATION", 0, 1, [0x82])),
    frame("HEADERS", 0, 1, [0x82]),
  ),
  "connections that say nothing": async ({ port, isOver, told }) => {
    const sockets: Deno.TcpConn[] = [];
    while (!isOver()) {
      if (sockets.length < 1_500) {
        try {
          sockets.push(await Deno.connect({ hostname: "127.0.0.1", port }));
        } catch {
          told.add("connection refused");
        }
      } else await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const socket of sockets) socket.close();
  },
  "connections, one after the other": again(async (attacker) => {
    await attacker.open(1);
    await attacker.message(1, sotw());
  }),
  "REST: requests without waiting for answers": (target) =>
    rest(
      target,
      () => post(JSON.stringify({ node: { id: "evil" } })).repeat(100),
    ),
  "REST: polls without waiting for answers": (target) =>
    rest(
      target,
      () => post(JSON.stringify({ node: { id: "evil" }, version_info: "1" })),
    ),
  "REST: keys of metadata": (target) => {
    const metadata = Object.fromEntries(
      Array.from({ length: 300_000 }, (_, i) => [`k${i}`, 1]),
    );
    const text = post(JSON.stringify({ node: { id: "evil", metadata } }));
    return rest(target, () => text);
  },
  "REST: a body without end": (target) => {
    let isFirst = true;
    const part = "x".repeat(60_000);
    return rest(target, () => {
      if (!isFirst) return part;
      isFirst = false;
      return post("", 1e12);
    });
  },
};

/** Those that make use of what our server alone serves. */
export const ownAttacks: ReadonlySet<string> = new Set(
  Object.keys(attacks).filter((name) => /^(REST|CSDS):/.test(name)),
);
