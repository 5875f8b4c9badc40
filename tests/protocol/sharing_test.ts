import { create, fromBinary } from "@bufbuild/protobuf";
import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
import { ClusterSchema } from "@xds/envoy/envoy/config/cluster/v3";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import { View } from "../../lib/cache/mod.ts";
import {
  type NameChanges,
  type Protocol,
  type Response,
  Responses,
  Stream,
  type WantedNames,
} from "../../lib/protocol/mod.ts";
import {
  createResource,
  type Resource,
  TypeUrl,
} from "../../lib/resource/mod.ts";

const STREAMS = 20;
const typeUrl = TypeUrl.Cluster;
const node = create(NodeSchema, { id: "node" });

/** Streams of one server, each a client of its own. */
class Server {
  readonly #protocol: Protocol;
  readonly #responses: Responses;

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
    let serial = 0;
    this.#responses = new Responses(protocol, () => ++serial);
  }

  open(): Client {
    const options = { protocol: this.#protocol, responses: this.#responses };
    return new Client(this.#protocol, new Stream(options));
  }

  openAll(): Client[] {
    return Array.from({ length: STREAMS }, () => this.open());
  }
}

class Client {
  readonly #protocol: Protocol;
  readonly #stream: Stream;

  constructor(protocol: Protocol, stream: Stream) {
    this.#protocol = protocol;
    this.#stream = stream;
  }

  request(names: readonly string[], nonce = "", refusal?: string) {
    const wanted: WantedNames | NameChanges = this.#protocol === "sotw"
      ? { kind: "all", names, version: "" }
      : {
        kind: "changes",
        subscribe: names,
        unsubscribe: [],
        versions: new Map(),
      };
    const error = refusal === undefined
      ? undefined
      : { code: 3, message: refusal };
    const request = { node, typeUrl, nonce, error, wanted };
    this.#stream.step({ kind: "request", request });
  }

  /** The response to a view, acknowledged or refused. */
  take(
    view: View,
    again: readonly string[] = [],
    refusal?: string,
  ): Response {
    this.#stream.step({ kind: "changed", typeUrl, view });
    return this.#pull(again, refusal);
  }

  /** A heartbeat, acknowledged. */
  beat(again: readonly string[] = []): Response {
    this.#stream.step({ kind: "heartbeat", typeUrl });
    return this.#pull(again);
  }

  #pull(again: readonly string[], refusal?: string): Response {
    const actions = this.#stream.step({ kind: "pull" });
    const send = actions.find((action) => action.kind === "send");
    assert(send?.kind === "send", "nothing was sent");
    this.request(again, send.response.nonce, refusal);
    return send.response;
  }
}

function view(...contents: string[]): View {
  const resources = contents.map((content) => {
    const [name, altStatName] = content.split("=");
    const ttl = altStatName === "ttl" ? 1_000 : undefined;
    return createResource(create(ClusterSchema, { name, altStatName }), {
      ttl,
    });
  });
  return new View(new Map(resources.map((item) => [item.name, item])));
}

function contentOf({ name, bytes }: Resource): string {
  return `${name}=${fromBinary(ClusterSchema, bytes).altStatName}`;
}

function assertShared(responses: readonly Response[]) {
  for (const { frame, nonce } of responses) {
    assertStrictEquals(frame, responses[0].frame);
    assertEquals(nonce, responses[0].nonce);
  }
}

Deno.test("wildcard streams share one frame, and one again after a change", () => {
  const clients = new Server("sotw").openAll();
  const first = view("a", "b");
  const second = view("a=2", "b");
  for (const client of clients) client.request([]);
  assertShared(clients.map((client) => client.take(first)));
  assertShared(clients.map((client) => client.take(second)));
});

for (const protocol of ["sotw", "delta"] as const) {
  Deno.test(`${protocol}: streams whose views differ, but hold the same resources, share one frame`, () => {
    const clients = new Server(protocol).openAll();
    const viewsOf = (view: View) =>
      clients.map(() => new View(new Map(view.resources)));
    for (const client of clients) client.request([]);
    const views = viewsOf(view("a", "b"));
    assertShared(clients.map((client, i) => client.take(views[i])));
    const next = viewsOf(view("a=2", "b"));
    assertShared(clients.map((client, i) => client.take(next[i])));
  });

  Deno.test(`${protocol}: streams whose views have the same version, but hold other resources, do not share`, () => {
    const clients = new Server(protocol).openAll();
    const frames = clients.map((client, i) => {
      client.request([]);
      const { resources } = view(`a=${i}`);
      return client.take(new View(resources, { version: "1" })).frame;
    });
    assertEquals(new Set(frames).size, clients.length);
  });
}

Deno.test("a stream that comes later shares the frame of those before", () => {
  const server = new Server("sotw");
  const now = view("a", "b");
  const early = server.open();
  early.request([]);
  const { frame } = early.take(now);
  const late = server.open();
  late.request([]);
  assertStrictEquals(late.take(now).frame, frame);
});

Deno.test("wildcard delta streams share one frame, and what changes after it", () => {
  const clients = new Server("delta").openAll();
  const first = view("a", "b", "c");
  const second = view("a=2", "b");
  for (const client of clients) client.request([]);
  assertShared(clients.map((client) => client.take(first)));
  const changes = clients.map((client) => client.take(second));
  assertShared(changes);
  assertEquals(changes[0].names, ["a"]);
  assertEquals(changes[0].removed, ["c"]);
});

Deno.test("delta streams that hold different content share nothing that differs", () => {
  const server = new Server("delta");
  const [before, after] = [server.open(), server.open()];
  const now = view("a=2", "b=2");
  for (const client of [before, after]) client.request([]);
  before.take(view("a", "b"));
  after.take(view("a=2", "b"));
  const responses = [before.take(now), after.take(now)];
  assertEquals(responses.map(({ names }) => names), [["a", "b"], ["b"]]);
  assertNotStrictEquals(responses[0].frame, responses[1].frame);
});

for (const protocol of ["sotw", "delta"] as const) {
  Deno.test(`${protocol}: streams that select the same names share one frame, and one again after a change`, () => {
    const clients = new Server(protocol).openAll();
    const names = ["a", "c"];
    const again = protocol === "sotw" ? names : [];
    const first = view("a", "b", "c");
    const second = view("a", "b=2", "c=2");
    for (const client of clients) client.request(names);
    assertShared(clients.map((client) => client.take(first, again)));
    assertShared(clients.map((client) => client.take(second, again)));
  });

  Deno.test(`${protocol}: streams that select different names do not share`, () => {
    const server = new Server(protocol);
    const now = view("a", "b", "c");
    const selections = [["a"], ["b"], ["a", "b"], ["a", "x"], ["*"]];
    const frames = selections.map((names) => {
      const client = server.open();
      client.request(names);
      return client.take(now, names).frame;
    });
    assertEquals(new Set(frames).size, selections.length);
  });
}

for (const protocol of ["sotw", "delta"] as const) {
  for (const names of [[], ["a", "b"]]) {
    Deno.test(`${protocol}: streams that have the same of [${names}] share the frames of their heartbeats`, () => {
      const clients = new Server(protocol).openAll();
      const again = protocol === "sotw" ? names : [];
      const now = view("a=ttl", "b");
      for (const client of clients) client.request(names);
      for (const client of clients) client.take(now, again);
      const first = clients.map((client) => client.beat(again));
      assertShared(first);
      const second = clients.map((client) => client.beat(again));
      assertShared(second);
      assertNotStrictEquals(first[0].frame, second[0].frame);
    });
  }
}

Deno.test("streams that refused different resources share no heartbeat: each is sent what it has", () => {
  const server = new Server("sotw");
  const first = view("a=ttl", "b=1", "c=1");
  const second = view("a=ttl", "b=2", "c=2");
  const heartbeats = ["b", "c"].map((refused) => {
    const client = server.open();
    client.request([]);
    client.take(first);
    client.take(second, [], `${refused} is bad`);
    return client.beat();
  });
  const contents = heartbeats.map(({ resources }) => resources.map(contentOf));
  assertEquals(contents, [["a=ttl", "b=1", "c=2"], ["a=ttl", "b=2", "c=1"]]);
  assertNotStrictEquals(heartbeats[0].frame, heartbeats[1].frame);
});

Deno.test("a response is of one type, whatever types and versions are called", () => {
  let serial = 0;
  const responses = new Responses("sotw", () => ++serial);
  const empty = (version: string) => new View(new Map(), { version });
  // Clients may make types up.
  const one = responses.whole("a/b c", empty("d"), 0);
  const other = responses.whole("a/b", empty("c d"), 0);
  assertEquals([one.typeUrl, one.version], ["a/b c", "d"]);
  assertEquals([other.typeUrl, other.version], ["a/b", "c d"]);
});

Deno.test("types may share a view that has nothing, and no response", () => {
  let serial = 0;
  for (const protocol of ["sotw", "delta"] as const) {
    const responses = new Responses(protocol, () => ++serial);
    const view = new View(new Map());
    const { version } = view;
    const part = (typeUrl: string, name: string) =>
      responses.part({
        typeUrl,
        view,
        version,
        lack: { resources: [], removed: [] },
        missing: [name],
      }, 0).typeUrl;
    for (const typeUrl of ["a/b", "a/c", "a/b"]) {
      assertEquals(responses.whole(typeUrl, view, 0).typeUrl, typeUrl);
      assertEquals(part(typeUrl, "name"), typeUrl);
    }
  }
});
