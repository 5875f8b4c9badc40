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
  type Blocked,
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
import { resource, typeOf, written as writtenResource } from "./_resources.ts";

const KEY = "node";
/** A content-derived version, be it behind the version of a set that the client has with changes. */
const DERIVED = /\b[0-9a-f]{16}\b/;

/**
 * One client that talks to one server with a {@linkcode SnapshotCache}, command by command:
 *
 * - `options [sotw | delta] [ads] [at-once] [drain=5] [hold=1] [history=5] [no-empty-endpoints] [rollback]
 *   [legacy-wildcard | no-legacy-wildcard] [blocked] [type=Cluster] [max-names=3] [max-types=2]`, first of all: the protocol
 *   (default: state of the world), the cache's `ads`, `makeBeforeBreak: false`, `drain` (default: 0) and `holdTimeout` in
 *   seconds, `history`, `emptyEndpoints: false` and `onRefused`, whether a first request without names asks for everything
 *   or nothing of any type, that blocked changes are told of, a single-type service (default: ADS), the limits of names and
 *   types
 * - `cache set [v1] Cluster a b=2 c->e Listener l->r`: sets a snapshot with that version, or with versions derived from
 *   content, which are written h1, h2, … in order of appearance. `b=2` is b with other content, `c->e` a cluster whose
 *   endpoints are e, `c->e+secret:s` one with a certificate s by SDS, `l->r` a listener whose routes are r, `l->cluster:c`
 *   one that sends its traffic to cluster c, `l->r+secret:s+port:80` one with a certificate and an address, `l->api:r` one for
 *   gRPC (`api_listener`), `secret:s@15` a certificate with a config source of its own, `r->c` routes to cluster c, `a~30` a
 *   resource with a TTL of 30 seconds
 * - `cache change [v2] Cluster a=3 -b`: sets what `Snapshot.with` makes of the snapshot
 * - `cache set-again v1`: sets the snapshot that was set as v1, the same object
 * - `cache delete`, `cache settled [drained]`
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
  #legacyWildcard: boolean | undefined;
  #reportsBlocked = false;
  readonly #clock = new FakeClock();
  #cache = new SnapshotCache({ clock: this.#clock });
  #snapshots = new Map<string, Snapshot>();
  #responses!: Responses;
  #stream: Stream | undefined;
  #client!: Client;
  #watches = new Map<string, Watch>();
  #streams = 0;
  #timers: Disposable[] = [];
  /** What the client is to be sent again on its next stream. */
  #owed: Stream["owed"] = new Map();
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
          "legacy-wildcard",
          "no-legacy-wildcard",
          "no-empty-endpoints",
          "blocked",
        ],
        ["type", "max-names", "max-types", "drain", "hold", "history"],
      );
      if (args.has("legacy-wildcard")) this.#legacyWildcard = true;
      if (args.has("no-legacy-wildcard")) this.#legacyWildcard = false;
      this.#reportsBlocked = args.has("blocked");
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
        holdTimeout: args.value("hold") === undefined
          ? undefined
          : Number(args.value("hold")) * 1000,
        history: args.value("history") === undefined
          ? undefined
          : Number(args.value("history")),
        emptyEndpoints: !args.has("no-empty-endpoints"),
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
    "cache settled": async (args) => {
      args.allow(["drained"], []);
      const end = new AbortController();
      let outcome = "waits";
      const { signal } = end;
      const drained = args.has("drained");
      const settled = this.#cache.settled(KEY, { signal, drained });
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
      reportsBlocked: this.#reportsBlocked,
    });
    this.#stream.resume(this.#owed);
    this.#owed = new Map();
    const node = create(NodeSchema, { id: KEY });
    this.#client = { id: ++this.#streams, node };
    this.#ready = false;
    this.#firstRequest = true;
  }

  #close() {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.#timers = [];
    this.#owed = this.#stream?.owed ?? this.#owed;
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
    if (action.kind === "timer") {
      const { id, after } = action;
      const fire = () => this.#step({ kind: "timer", id });
      this.#timers.push(this.#clock.after(after, fire));
      return;
    }
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
          blocked: () => this.#stream?.blocked(typeUrl),
        };
        const watch = this.#cache.watch(request, {
          changed: (view, names) =>
            this.#step({ kind: "changed", typeUrl, view, names }),
          heartbeat: () => this.#step({ kind: "heartbeat", typeUrl }),
        });
        const { sequencing, history } = watch;
        this.#step({ kind: "watched", typeUrl, sequencing, history });
        this.#watches.set(typeUrl, watch);
        break;
      }
      case "subscribe":
        watch?.subscribed?.();
        break;
      case "ack":
        this.#out.push(`ack ${type} ${this.#short(action.response.version)}`);
        watch?.progress?.({ kind: "acked", view: action.view });
        break;
      case "nack": {
        const { view, refusal } = action;
        const { version, message } = refusal;
        this.#out.push(`nack ${type} ${this.#short(version)}: ${message}`);
        watch?.progress?.({ kind: "nacked", view, refusal });
        break;
      }
      case "stale":
        this.#out.push(`stale ${type} nonce=${action.nonce}`);
        break;
      case "send":
        // Until nothing is sent, there may be more.
        this.#ready = true;
        watch?.progress?.({ kind: "sent", view: action.view });
        this.#out.push(this.#sent(action.response));
        break;
      case "blocked":
        this.#out.push(`blocked ${type} ${written(action.blocked)}`);
        break;
      case "unblocked":
        this.#out.push(`unblocked ${type}`);
        break;
      case "not_requested":
        this.#out.push(`not requested ${type} [${action.names.join(" ")}]`);
        break;
      case "settled": {
        const { view, outcome } = action;
        const { refusal, blocked, drained } = outcome;
        const reason = refusal
          ? ` nacked: ${refusal.message}`
          : blocked
          ? ` blocked ${written(blocked)}`
          : "";
        const rest = drained ? "" : " draining";
        this.#out.push(
          `settled ${type} ${this.#short(view.version)}${reason}${rest}`,
        );
        watch?.progress?.({ kind: "settled", view, outcome });
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
      return wrapped ? wrapper(wrapped) : writtenResource(any);
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
    const { subscription, state, refusal, blocked, version } = status;
    const wanted = [
      ...subscription.wildcard ? ["*"] : [],
      ...subscription.names,
    ];
    const parts = [
      `${shortName(status.typeUrl)} [${wanted.join(" ")}]`,
      ...version === undefined ? [] : [this.#short(version)],
      state,
      ...blocked ? [written(blocked)] : [],
    ];
    return parts.join(" ") + (refusal ? `: ${refusal.message}` : "");
  }

  /** A content-derived version in short: h1 is the first that came up, h0 that of nothing. */
  #short(version: string): string {
    return version.replace(DERIVED, (derived) => {
      if (!this.#derived.includes(derived)) this.#derived.push(derived);
      return `h${this.#derived.indexOf(derived)}`;
    });
  }

  /** The opposite of `#short`. */
  #version(short: string): string {
    return short.replace(
      /\bh(\d+)\b/,
      (whole, index) => this.#derived[Number(index)] ?? unknown(whole),
    );
  }
}

const gone: ResourceState = {
  state: "unsubscribed",
  version: undefined,
  newest: undefined,
  resource: undefined,
  refusal: undefined,
};

/** `dependency_unacked to send [r] until Cluster [a]` */
function written({ reason, removal, names, waitingFor }: Blocked): string {
  const awaited = waitingFor.map(({ typeUrl, names, refusal }) =>
    `${shortName(typeUrl)} [${names.join(" ")}]` +
    (refusal ? ` nacked: ${refusal.message}` : "")
  );
  const what = `${reason} to ${removal ? "remove" : "send"} [${
    names.join(" ")
  }]`;
  return awaited.length > 0 ? `${what} until ${awaited.join(", ")}` : what;
}

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
  return (resource ? writtenResource(resource) : `${name} refreshed`) + seconds;
}

function bracketed(label: string, names: readonly string[]): string {
  return names.length > 0 ? ` ${label}=[${names.join(" ")}]` : "";
}

function unknown(word: string): never {
  throw new SyntaxError(`what is ${word}?`);
}
