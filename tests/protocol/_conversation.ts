import { create, fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
  type Resource as WrappedResource,
  ResourceSchema,
} from "@xds/envoy/envoy/service/discovery/v3";
import {
  type Client,
  createSnapshot,
  type ResourceState,
  type Snapshot,
  SnapshotCache,
  type TypeStatus,
  type Watch,
} from "../../lib/cache/mod.ts";
import {
  PREFIX_BYTES,
  type Protocol,
  type Response,
  Responses,
  Stream,
  type StreamAction,
  type StreamEvent,
  type StreamRequest,
} from "../../lib/protocol/mod.ts";
import { type Resource, shortName } from "../../lib/resource/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { Arguments } from "./_arguments.ts";
import { resource, typeOf, written } from "./_resources.ts";

const KEY = "node";
/** What a content-derived version looks like. */
const DERIVED = /^[0-9a-f]{16}$/;

/**
 * One client that talks to one server with a {@linkcode SnapshotCache}, command by command:
 *
 * - `options [sotw | delta] [ads] [at-once] [drain=5] [rollback] [no-legacy-wildcard] [waits] [type=Cluster]
 *   [max-names=3] [max-types=2]`, first of all: the protocol (default: state of the world), the cache's `ads`, `makeBeforeBreak: false`,
 *   `drain` in seconds and `onRefused`, that a first request without names asks for nothing, that waits are told of, a
 *   single-type service (default: ADS), the limits of names and types
 * - `cache set [v1] Cluster a b=2 c->e Listener l->r`: sets a snapshot with that version, or with versions derived from
 *   content, which are written h1, h2, … in order of appearance. `b=2` is b with other content, `c->e` a cluster whose
 *   endpoints are e, `l->r` a listener whose routes are r, `r->c` routes to cluster c, `a~30` a resource with a TTL of
 *   30 seconds
 * - `cache change [v2] Cluster a=3 -b`: sets what `Snapshot.with` makes of the snapshot
 * - `cache set-again v1`: sets the snapshot that was set as v1, the same object
 * - `cache delete`, `cache settled`
 * - `request Cluster names=a,b nonce=1 version=v1 error="no"`, in delta
 *   `request Cluster subscribe=a unsubscribe=b has=c,d=2 nonce=1`, where `has` are the `initial_resource_versions`, given
 *   as the resources. The node goes with a stream's first request, unless the request says `no-node`
 * - `block` and `unblock`: the client stops reading, and reads again
 * - `reconnect`: the stream ends, and another is opened
 * - `advance 10`: ten seconds pass
 * - `status`: where the client stands, as the cache sees it
 * - `explain Cluster a`: why the client has a resource, or has it not
 */
export class Conversation {
  #protocol: Protocol = "sotw";
  #typeUrl: string | undefined;
  #maxNames: number | undefined;
  #maxTypes: number | undefined;
  #legacyWildcard = true;
  #reportsWaits = false;
  readonly #clock = new FakeClock();
  #cache = new SnapshotCache({ clock: this.#clock });
  #snapshots = new Map<string, Snapshot>();
  #responses!: Responses;
  #stream: Stream | undefined;
  #client!: Client;
  #watches = new Map<string, Watch>();
  #streams = 0;
  #draining: Disposable | undefined;
  #blocked = false;
  #ready = false;
  #firstRequest = true;
  #derived: string[] = ["0000000000000000"];
  #out: string[] = [];

  constructor() {
    this.#serve();
  }

  /** Carries out a command and says what came of it, one thing a line. */
  async execute(command: string): Promise<string[]> {
    const [, verb, rest] = command.match(/^(cache \S+|\S+) ?(.*)$/)!;
    const args = new Arguments(rest);
    this.#out = [];
    const run = this.#commands[verb] ?? unknown(verb);
    await run(args);
    while (this.#ready && !this.#blocked) {
      // What is carried out may make it ready once more.
      this.#ready = false;
      this.#step({ kind: "pull" });
    }
    return this.#out.length > 0 ? this.#out : ["ok"];
  }

  readonly #commands: Readonly<
    Record<string, (args: Arguments) => void | Promise<void>>
  > = {
    "options": (args) => {
      args.allow(
        [
          "sotw",
          "delta",
          "ads",
          "at-once",
          "rollback",
          "no-legacy-wildcard",
          "waits",
        ],
        ["type", "max-names", "max-types", "drain"],
      );
      this.#legacyWildcard = !args.has("no-legacy-wildcard");
      this.#reportsWaits = args.has("waits");
      if (args.has("delta")) this.#protocol = "delta";
      const type = args.value("type");
      this.#typeUrl = type && (typeOf(type) ?? unknown(type));
      const maxTypes = args.value("max-types");
      this.#maxTypes = maxTypes === undefined ? undefined : Number(maxTypes);
      const maxNames = args.value("max-names");
      this.#maxNames = maxNames === undefined ? undefined : Number(maxNames);
      this.#cache = new SnapshotCache({
        ads: args.has("ads"),
        makeBeforeBreak: args.has("at-once") ? false : undefined,
        drain: Number(args.value("drain") ?? 0) * 1000,
        onRefused: args.has("rollback") ? "rollback" : "keep",
        onRollback: (_key, { from, to, typeUrl, refusal }) => {
          const versions = [from, to].map((snapshot) =>
            this.#short(snapshot.version(typeUrl))
          );
          this.#out.push(
            `rollback from ${versions.join(" to ")}: ${refusal.message}`,
          );
        },
        clock: this.#clock,
      });
      this.#serve();
    },
    "cache set": (args) => {
      const { version, resources } = contents(args);
      this.#set(version, createSnapshot({ version, resources }));
    },
    "cache change": (args) => {
      const { version, resources, removed } = contents(args);
      const before = this.#cache.get(KEY)!;
      const change = { version, set: resources, delete: removed };
      this.#set(version, before.with(change));
    },
    "cache set-again": ({ words: [version] }) => {
      this.#cache.set(KEY, this.#snapshots.get(version) ?? unknown(version));
    },
    "cache delete": () => {
      this.#cache.delete(KEY);
    },
    "cache settled": async () => {
      const end = new AbortController();
      let outcome = "waits";
      const settled = this.#cache.settled(KEY, { signal: end.signal });
      settled.then(({ accepted }) => {
        outcome = accepted ? "accepted" : "refused";
      }, () => {});
      // Whatever has settled already says so within a turn of the event loop.
      await new Promise((resolve) => setTimeout(resolve));
      end.abort();
      this.#out.push(outcome);
    },
    "request": (args) => {
      const request = this.#request(args);
      if (this.#stream) this.#step({ kind: "request", request });
      else this.#out.push("the stream has ended");
    },
    "block": () => {
      this.#blocked = true;
    },
    "unblock": () => {
      this.#blocked = false;
    },
    "reconnect": () => {
      this.#close();
      this.#open();
    },
    "advance": ({ words: [seconds] }) => {
      this.#clock.advance(Number(seconds) * 1000);
    },
    "explain": ({ words: [type, name] }) => {
      const typeUrl = typeOf(type) ?? unknown(type);
      for (const { message } of this.#cache.explain(KEY, typeUrl, name)) {
        this.#out.push(
          message.replace(/\b[0-9a-f]{16}\b/g, (hash) => this.#short(hash)),
        );
      }
    },
    "status": () => {
      for (const { types } of this.#cache.status(KEY)) {
        for (const type of types) this.#out.push(this.#status(type));
      }
    },
  };

  #serve() {
    let serial = 0;
    this.#responses = new Responses(this.#protocol, () => ++serial);
    this.#open();
  }

  #open() {
    this.#stream = new Stream({
      protocol: this.#protocol,
      responses: this.#responses,
      typeUrl: this.#typeUrl,
      maxNames: this.#maxNames,
      maxTypes: this.#maxTypes,
      legacyWildcard: () => this.#legacyWildcard,
      reportsWaits: this.#reportsWaits,
    });
    const node = create(NodeSchema, { id: KEY });
    this.#client = { id: ++this.#streams, node };
    this.#ready = false;
    this.#firstRequest = true;
  }

  #close() {
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    this.#watches.clear();
    this.#stream = undefined;
  }

  #set(version: string | undefined, snapshot: Snapshot) {
    if (version !== undefined) this.#snapshots.set(version, snapshot);
    this.#cache.set(KEY, snapshot);
  }

  #request(args: Arguments): StreamRequest {
    const [short] = args.words;
    const named = typeOf(short);
    const typeUrl = named ?? args.value("type") ?? unknown(short);
    const delta = this.#protocol === "delta";
    args.allow(
      named ? [short, "no-node"] : ["no-node"],
      [
        "type",
        "nonce",
        "error",
        ...delta ? ["subscribe", "unsubscribe", "has"] : ["names", "version"],
      ],
    );
    const message = args.value("error");
    const withNode = this.#firstRequest && !args.has("no-node");
    this.#firstRequest = false;
    const common = {
      node: withNode ? this.#client.node : undefined,
      typeUrl,
      nonce: args.value("nonce") ?? "",
      error: message === undefined ? undefined : { code: 3, message },
    };
    if (!delta) {
      const version = this.#version(args.value("version") ?? "");
      const names = args.list("names");
      return { ...common, wanted: { kind: "all", names, version } };
    }
    const held = args.list("has").map((text) => resource(typeUrl, text));
    return {
      ...common,
      wanted: {
        kind: "changes",
        subscribe: args.list("subscribe"),
        unsubscribe: args.list("unsubscribe"),
        versions: new Map(held.map(({ name, version }) => [name, version])),
      },
    };
  }

  #step(event: StreamEvent) {
    if (!this.#stream) return;
    for (const action of this.#stream.step(event)) this.#carryOut(action);
  }

  #carryOut(action: StreamAction) {
    if (action.kind === "open" || action.kind === "node") return;
    if (action.kind === "ready") {
      this.#ready = true;
      return;
    }
    if (action.kind === "fail") {
      this.#out.push(`fail ${action.code}: ${action.message}`);
      this.#close();
      return;
    }
    const { typeUrl } = action;
    const type = shortName(typeUrl);
    const watch = this.#watches.get(typeUrl);
    switch (action.kind) {
      case "watch": {
        const { subscription } = action;
        const inspect = (name: string) =>
          this.#stream?.inspect(typeUrl, name) ?? gone;
        const request = {
          client: this.#client,
          typeUrl,
          subscription,
          inspect,
        };
        const watch = this.#cache.watch(request, {
          changed: (view, names) =>
            this.#step({ kind: "changed", typeUrl, view, names }),
          held: (names) => {
            this.#step({ kind: "hold", typeUrl });
            this.#out.push(`hold ${type} waiting for ${[...names].join(" ")}`);
          },
          heartbeat: () => this.#step({ kind: "heartbeat", typeUrl }),
        });
        const makeBeforeBreak = watch.makeBeforeBreak ?? false;
        const drains = watch.drain !== undefined;
        this.#step({ kind: "watched", typeUrl, makeBeforeBreak, drains });
        this.#watches.set(typeUrl, watch);
        break;
      }
      case "subscribe":
        watch?.subscribed?.();
        break;
      case "ack":
        this.#out.push(`ack ${type} ${this.#short(action.response.version)}`);
        break;
      case "nack": {
        const { version, message } = action.refusal;
        this.#out.push(`nack ${type} ${this.#short(version)}: ${message}`);
        watch?.refused?.(action.refusal);
        break;
      }
      case "stale":
        this.#out.push(`stale ${type} nonce=${action.nonce}`);
        break;
      case "drain":
        this.#out.push(`drain ${type}`);
        this.#draining = watch!.drain!(() =>
          this.#step({ kind: "drained", typeUrl })
        );
        break;
      case "undrain":
        this.#draining?.[Symbol.dispose]();
        this.#out.push(`undrain ${type}`);
        break;
      case "send":
        // Until nothing is sent, there may be more.
        this.#ready = true;
        watch?.sent?.(action.view);
        this.#out.push(this.#sent(action.response));
        break;
      case "wait": {
        const { removal, names, waitingFor } = action.wait;
        const reasons = waitingFor.map(({ typeUrl, names, refusal }) =>
          `${shortName(typeUrl)} [${names.join(" ")}]` +
          (refusal ? ` refused: ${refusal.message}` : "")
        );
        this.#out.push(
          `wait ${type} to ${removal ? "remove" : "send"} [${
            names.join(" ")
          }] until ${reasons.join(", ") || "it is drained"}`,
        );
        break;
      }
      case "resume":
        this.#out.push(`resume ${type}`);
        break;
      case "settled": {
        const { view, outcome: { refusal, blocked } } = action;
        const reason = refusal
          ? ` refused: ${refusal.message}`
          : blocked
          ? ` blocked by ${
            shortName(blocked.typeUrl)
          }: ${blocked.refusal.message}`
          : "";
        this.#out.push(`settled ${type} ${this.#short(view.version)}${reason}`);
        watch?.settled?.(view, action.outcome);
        break;
      }
    }
  }

  /** A response as the client reads it. */
  #sent({ frame }: Response): string {
    const bytes = frame.subarray(PREFIX_BYTES);
    if (this.#protocol === "delta") {
      const response = fromBinary(DeltaDiscoveryResponseSchema, bytes);
      const { typeUrl, systemVersionInfo, nonce, resources } = response;
      const removed = bracketed("removed", response.removedResources);
      const sent = resources.map(wrapper);
      return this.#message(typeUrl, systemVersionInfo, nonce, sent) + removed;
    }
    const response = fromBinary(DiscoveryResponseSchema, bytes);
    const { typeUrl, versionInfo, nonce, resources } = response;
    const errors = response.resourceErrors.map(({ resourceName }) =>
      resourceName!.name
    );
    const sent = resources.map((any) => {
      const wrapped = anyUnpack(any, ResourceSchema);
      return wrapped ? wrapper(wrapped) : written(any);
    });
    return this.#message(typeUrl, versionInfo, nonce, sent) +
      bracketed("missing", errors);
  }

  #message(
    typeUrl: string,
    version: string,
    nonce: string,
    resources: readonly string[],
  ): string {
    const type = shortName(typeUrl);
    const names = resources.join(" ");
    return `send ${type} version=${
      this.#short(version)
    } nonce=${nonce} [${names}]`;
  }

  #status(status: TypeStatus): string {
    const { subscription, state, waitingFor, refusal, blocked, version } =
      status;
    const wanted = [
      ...subscription.wildcard ? ["*"] : [],
      ...subscription.names,
    ];
    const parts = [
      `${shortName(status.typeUrl)} [${wanted.join(" ")}]`,
      ...version === undefined ? [] : [this.#short(version)],
      state,
      ...waitingFor.size > 0
        ? [`waiting for ${[...waitingFor].join(" ")}`]
        : [],
    ];
    const reason = refusal ?? blocked?.refusal;
    return parts.join(" ") + (reason ? `: ${reason.message}` : "");
  }

  /** A content-derived version in short: h1 is the first that came up, h0 that of nothing. */
  #short(version: string): string {
    if (!DERIVED.test(version)) return version;
    if (!this.#derived.includes(version)) this.#derived.push(version);
    return `h${this.#derived.indexOf(version)}`;
  }

  /** The opposite of `#short`. */
  #version(short: string): string {
    const [, index] = short.match(/^h(\d+)$/) ?? [];
    if (index === undefined) return short;
    return this.#derived[Number(index)] ?? unknown(short);
  }
}

const gone: ResourceState = {
  state: "unsubscribed",
  version: undefined,
  newest: undefined,
  resource: undefined,
  refusal: undefined,
  waitsFor: [],
};

interface Contents {
  version: string | undefined;
  resources: Resource[];
  removed: { typeUrl: string; name: string }[];
}

function contents({ words }: Arguments): Contents {
  const [first, ...rest] = words;
  const version = first === undefined || typeOf(first) ? undefined : first;
  const resources: Resource[] = [];
  const removed: Contents["removed"] = [];
  let typeUrl = "";
  for (const word of version === undefined ? words : rest) {
    const type = typeOf(word);
    if (type) typeUrl = type;
    else if (word.startsWith("-")) {
      removed.push({ typeUrl, name: word.slice(1) });
    } else resources.push(resource(typeUrl, word));
  }
  return { version, resources, removed };
}

/** A `Resource`: what it holds, or, for one without a body, its name and that it is just refreshed, or is none. */
function wrapper({ name, resource, ttl }: WrappedResource): string {
  if (!resource && !ttl) return `${name} unknown`;
  const seconds = ttl ? `~${ttl.seconds}` : "";
  return (resource ? written(resource) : `${name} refreshed`) + seconds;
}

function bracketed(label: string, names: readonly string[]): string {
  return names.length > 0 ? ` ${label}=[${names.join(" ")}]` : "";
}

function unknown(word: string): never {
  throw new SyntaxError(`what is ${word}?`);
}
