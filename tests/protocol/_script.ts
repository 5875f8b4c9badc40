import { create } from "@bufbuild/protobuf";
import {
  Cluster_DiscoveryType,
  ClusterSchema,
} from "@xds/envoy/envoy/config/cluster/v3";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import type { Client, Watch } from "../../lib/cache/mod.ts";
import {
  type Protocol,
  Responses,
  Stream,
  type StreamAction,
  type StreamEvent,
  type StreamRequest,
} from "../../lib/protocol/mod.ts";
import {
  createResource,
  createSnapshot,
  type Resource,
  shortName,
  type Snapshot,
  SnapshotCache,
  TypeUrl,
} from "../../mod.ts";
import { listener, rds } from "../support/resources.ts";

const KEY = "node";

/**
 * A conversation between a client and a server, with a real cache behind it and no transport. Each command of a script
 * returns what came out of it, a line for each thing that was done.
 */
export class Conversation {
  #protocol: Protocol = "sotw";
  #typeUrl: string | undefined;
  #maxNames: number | undefined;
  #cache = new SnapshotCache();
  #serial = 0;
  #streams = 0;
  #blocked = false;
  #ready = false;
  #stream: Stream | undefined;
  #client: Client | undefined;
  #responses: Responses | undefined;
  readonly #watches = new Map<string, Watch>();
  readonly #kept = new Map<string, Snapshot>();
  readonly #versions = new Map<string, string>();
  #output: string[] = [];

  /** Carries out a line of a script. */
  run(line: string): string[] {
    this.#output = [];
    const [command, ...args] = words(line);
    switch (command) {
      case "options":
        this.#options(args);
        break;
      case "cache":
        this.#cacheCommand(args);
        break;
      case "request":
        this.#request(args);
        break;
      case "block":
        this.#blocked = true;
        break;
      case "unblock":
        this.#blocked = false;
        this.#pull();
        break;
      case "reconnect":
        for (const watch of this.#watches.values()) watch[Symbol.dispose]();
        this.#watches.clear();
        this.#stream = undefined;
        break;
      case "status":
        this.#status();
        break;
      default:
        throw new Error(`no such command: ${line}`);
    }
    return this.#output.length > 0 ? this.#output : ["ok"];
  }

  /** `options [ads] [delta] [type=Cluster] [max-names=3]`, before anything else. */
  #options(args: string[]) {
    for (const arg of args) {
      const [name, value] = pair(arg);
      if (name === "ads") this.#cache = new SnapshotCache({ ads: true });
      else if (name === "delta") this.#protocol = "delta";
      else if (name === "type") this.#typeUrl = typeUrlOf(value);
      else if (name === "max-names") this.#maxNames = Number(value);
      else throw new Error(`no such option: ${arg}`);
    }
  }

  /**
   * `cache set [v1] Cluster a b=2 a@eds; Listener l@routes`: a version for all types or none, and for each type names,
   * with another content than usual (`=`), of a cluster with endpoints by EDS, or of a listener with those routes.
   * `cache keep x` remembers the snapshot, `cache restore x` sets it again, the same object; `cache delete`.
   */
  #cacheCommand([verb, ...args]: string[]) {
    if (verb === "delete") this.#cache.delete(KEY);
    if (verb === "keep") this.#kept.set(args[0], this.#cache.get(KEY)!);
    if (verb === "restore") this.#cache.set(KEY, this.#kept.get(args[0])!);
    if (verb === "set") {
      const version = /^v\d+$/.test(args[0] ?? "") ? args.shift() : undefined;
      const resources: Resource[] = [];
      for (const group of args.join(" ").split(";")) {
        const [type, ...names] = group.trim().split(" ");
        for (const name of names) {
          resources.push(resourceOf(typeUrlOf(type), name));
        }
      }
      this.#cache.set(KEY, createSnapshot({ resources, version }));
    }
    this.#pull();
  }

  /**
   * `request Cluster names=a,b version=v1 nonce=1 error="why"`, or in delta
   * `request Cluster subscribe=a unsubscribe=b versions=a:v1`; `no-node` leaves the node out of a first request.
   */
  #request(args: string[]) {
    const type = args[0] && !args[0].includes("=") && args[0] !== "no-node"
      ? args.shift()!
      : "";
    const fields = new Map(args.map(pair));
    const list = (name: string) =>
      fields.get(name)?.split(",").filter((item) => item !== "") ?? [];
    const error = fields.get("error");
    const isFirst = this.#stream === undefined;
    const request: StreamRequest = {
      node: isFirst && !fields.has("no-node")
        ? create(NodeSchema, { id: KEY })
        : undefined,
      typeUrl: type && typeUrlOf(type),
      nonce: fields.get("nonce") ?? "",
      error: error === undefined ? undefined : { code: 3, message: error },
      wanted: this.#protocol === "sotw"
        ? {
          kind: "all",
          names: list("names"),
          version: this.#realVersion(fields.get("version") ?? ""),
        }
        : {
          kind: "changes",
          subscribe: list("subscribe"),
          unsubscribe: list("unsubscribe"),
          versions: new Map(
            list("versions").map((item) => {
              const [name, version] = item.split(":");
              return [name, this.#realVersion(version)];
            }),
          ),
        },
    };
    this.#responses ??= new Responses(this.#protocol, () => ++this.#serial);
    this.#stream ??= new Stream({
      protocol: this.#protocol,
      responses: this.#responses,
      typeUrl: this.#typeUrl,
      maxNames: this.#maxNames,
    });
    this.#step({ kind: "request", request });
    this.#pull();
  }

  #status() {
    for (const { types } of this.#cache.status(KEY)) {
      for (const { typeUrl, state, waitingFor, refusal } of types) {
        const more = [...waitingFor].join(" ") + (refusal?.message ?? "");
        this.#output.push(
          `${shortName(typeUrl)} ${state}${more && `: ${more}`}`,
        );
      }
    }
  }

  #pull() {
    while (!this.#blocked && this.#stream && this.#ready) {
      this.#ready = false;
      this.#step({ kind: "pull" });
    }
  }

  #step(event: StreamEvent) {
    for (const action of this.#stream!.step(event)) this.#carryOut(action);
  }

  #carryOut(action: StreamAction) {
    const print = (text: string) => this.#output.push(text);
    const type = "typeUrl" in action ? shortName(action.typeUrl) : "";
    switch (action.kind) {
      case "ready":
        this.#ready = true;
        break;
      case "open":
        this.#client = { id: ++this.#streams, node: action.node };
        break;
      case "watch":
        this.#watch(action.typeUrl, action.subscription);
        break;
      case "subscribe":
        this.#watches.get(action.typeUrl)?.subscribed?.();
        break;
      case "ack":
        print(`ack ${type} ${this.#shortVersion(action.response.version)}`);
        break;
      case "nack":
        print(
          `nack ${type} ${
            this.#shortVersion(action.response.version)
          }: ${action.refusal.message}`,
        );
        break;
      case "stale":
        print(`stale ${type} nonce=${action.nonce}`);
        break;
      case "fail":
        print(`fail ${action.code}: ${action.message}`);
        break;
      case "settled":
        this.#watches.get(action.typeUrl)?.settled?.(
          action.view,
          action.refusal,
        );
        print(
          `settled ${type}${
            action.refusal ? `, refused: ${action.refusal.message}` : ""
          }`,
        );
        break;
      case "send": {
        this.#ready = true;
        const { version, nonce, names, removed, missing } = action.response;
        this.#watches.get(action.typeUrl)?.sent?.(action.view);
        const lists = [
          `[${names.join(" ")}]`,
          ...removed.length > 0 ? [`removed=[${removed.join(" ")}]`] : [],
          ...missing.length > 0 ? [`missing=[${missing.join(" ")}]`] : [],
        ];
        print(
          `send ${type} version=${this.#shortVersion(version)} nonce=${nonce} ${
            lists.join(" ")
          }`,
        );
      }
    }
  }

  #watch(
    typeUrl: string,
    subscription: Extract<StreamAction, { kind: "watch" }>["subscription"],
  ) {
    const watch = this.#cache.watch({
      client: this.#client!,
      typeUrl,
      subscription,
    }, {
      changed: (view, names) =>
        this.#step({ kind: "changed", typeUrl, view, names }),
      held: (names) =>
        this.#output.push(
          `hold ${shortName(typeUrl)}, waiting for ${[...names].join(" ")}`,
        ),
    });
    this.#watches.set(typeUrl, watch);
  }

  /** Versions from content are long and tell a reader nothing: `#1` is the first that occurred. */
  #shortVersion(version: string): string {
    if (!/^[0-9a-f]{16}$/.test(version)) return version;
    let short = this.#versions.get(version);
    if (!short) {
      this.#versions.set(version, short = `#${this.#versions.size + 1}`);
    }
    return short;
  }

  #realVersion(short: string): string {
    if (short.startsWith("=")) {
      return resourceOf(TypeUrl.Cluster, short.slice(1)).version;
    }
    return [...this.#versions].find(([, known]) => known === short)?.[0] ??
      short;
  }
}

/** Splits at spaces, but not in quotes. */
function words(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) =>
    word.replaceAll('"', "")
  );
}

function pair(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function typeUrlOf(name: string): string {
  return TypeUrl[name as keyof typeof TypeUrl] ?? name;
}

function resourceOf(typeUrl: string, text: string): Resource {
  const [label, content] = pair(text);
  const [name, detail] = label.split("@");
  if (typeUrl === TypeUrl.Cluster) {
    const type = detail === "eds"
      ? Cluster_DiscoveryType.EDS
      : Cluster_DiscoveryType.STATIC;
    const discovery = { case: "type", value: type } as const;
    return createResource(
      create(ClusterSchema, {
        name,
        altStatName: content,
        clusterDiscoveryType: discovery,
      }),
    );
  }
  if (typeUrl === TypeUrl.Listener && detail) {
    const made = listener(name, { routeSpecifier: rds(detail, "ads") });
    made.statPrefix = content;
    return createResource(made);
  }
  // A field that no message has: the content is nobody's business but the version's.
  const payload = new TextEncoder().encode(content);
  return createResource({
    typeUrl,
    name,
    bytes: new Uint8Array([0xfa, 0x3e, payload.length, ...payload]),
  });
}

/** A command of a script, what should come out of it, and where it stands. */
interface Block {
  readonly command: string;
  readonly line: number;
  readonly expected: string[];
}

/** A script: comments at its head, then blocks of a command, `----`, and what comes out. */
export interface Script {
  readonly head: string[];
  readonly blocks: Block[];
}

/** Reads a script. */
export function parseScript(text: string): Script {
  const lines = text.split("\n");
  const head: string[] = [];
  const blocks: Block[] = [];
  for (let i = 0; i < lines.length; i++) {
    if (lines[i + 1] === "----") {
      blocks.push({ command: lines[i], line: i + 1, expected: [] });
      i++;
    } else if (lines[i] !== "") {
      (blocks.at(-1)?.expected ?? head).push(lines[i]);
    }
  }
  return { head, blocks };
}

/** Writes a script with what came out. */
export function formatScript(
  { head }: Script,
  outcomes: { command: string; actual: string[] }[],
): string {
  const blocks = outcomes.map(({ command, actual }) =>
    `${command}\n----\n${actual.join("\n")}\n`
  );
  return `${head.join("\n")}\n\n${blocks.join("\n")}`;
}
