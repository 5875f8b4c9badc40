import { create } from "@bufbuild/protobuf";
import { NodeSchema } from "@xds/envoy/envoy/config/core/v3";
import type { Cache, Client, Watch } from "../../lib/cache/mod.ts";
import {
  Responses,
  Stream,
  type StreamAction,
  type StreamEvent,
  type StreamRequest,
} from "../../lib/protocol/mod.ts";
import { shortName } from "../../lib/resource/mod.ts";
import type { ModelRequest, ModelResponse } from "../../lib/testing/mod.ts";
import type { FakeClock } from "../support/clock.ts";

/** The node of every client, which is the key of its snapshot. */
export const KEY = "node";

/** Options of a {@linkcode Driver}. */
export interface DriverOptions {
  readonly protocol: "sotw" | "delta";
  readonly cache: Cache;
  readonly clock: FakeClock;
  readonly legacyWildcard?: boolean;
}

/** One server with one client at a time: all that the models know of the stream's interface. */
export class Driver {
  /** What happened, for whoever reads a counterexample. */
  readonly log: string[] = [];
  /** Types whose newest set is in force. */
  readonly settled = new Set<string>();
  /** What the client did not request in time. */
  readonly notRequested: string[] = [];
  readonly #options: DriverOptions;
  #responses!: Responses;
  #serial = 0;
  #streams = 0;
  #stream: Stream | undefined;
  #client!: Client;
  #watches = new Map<string, Watch>();
  #timers: Disposable[] = [];
  #hasRequested = false;
  /** What the client was owed when its stream before ended. */
  #owed: Stream["owed"] | undefined;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.restart();
  }

  /** Types that the client requests. */
  get typeUrls(): readonly string[] {
    return this.#stream?.typeUrls ?? [];
  }

  /** What of a type waits, and for what. */
  blocked(typeUrl: string) {
    return this.#stream?.blocked(typeUrl);
  }

  /** Another server, with the same cache. */
  restart() {
    this.close();
    this.#serial = 0;
    this.#responses = new Responses(
      this.#options.protocol,
      () => ++this.#serial,
    );
  }

  /** A client connects. */
  open() {
    const { protocol, legacyWildcard } = this.#options;
    this.#stream = new Stream({
      protocol,
      responses: this.#responses,
      legacyWildcard: () => legacyWildcard,
    });
    const node = create(NodeSchema, { id: KEY });
    this.#client = { id: ++this.#streams, node };
    this.#hasRequested = false;
  }

  /** The client has gone. */
  close() {
    if (this.#stream && this.#hasRequested) this.#owed = this.#stream.owed;
    for (const its of [...this.#timers, ...this.#watches.values()]) {
      its[Symbol.dispose]();
    }
    this.#timers = [];
    this.#watches.clear();
    this.#stream = undefined;
    this.settled.clear();
  }

  /** A request arrives. */
  request(request: ModelRequest) {
    const { typeUrl, nonce, error } = request;
    const node = this.#hasRequested ? undefined : this.#client.node;
    if (node && this.#owed) this.#stream?.resume(this.#owed);
    this.#hasRequested = true;
    this.#owed = undefined;
    const { names, version, subscribe, unsubscribe, versions } = request;
    const wanted: StreamRequest["wanted"] = this.#options.protocol === "sotw"
      ? { kind: "all", names, version }
      : { kind: "changes", subscribe, unsubscribe, versions };
    this.#step({
      kind: "request",
      request: {
        node,
        typeUrl,
        nonce,
        error: error === undefined ? undefined : { code: 13, message: error },
        wanted,
      },
    });
  }

  /** The transport takes a response, if there is one. */
  pull(): ModelResponse | undefined {
    let sent: ModelResponse | undefined;
    for (const action of this.#stream?.step({ kind: "pull" }) ?? []) {
      if (action.kind === "send") {
        const { typeUrl, response } = action;
        const { version, nonce, resources, removed, missing } = response;
        sent = { typeUrl, version, nonce, resources, removed, missing };
      }
      this.#carryOut(action);
    }
    return sent;
  }

  #step(event: StreamEvent) {
    for (const action of this.#stream?.step(event) ?? []) {
      this.#carryOut(action);
    }
  }

  #carryOut(action: StreamAction) {
    switch (action.kind) {
      case "watch":
        return this.#watch(action);
      case "subscribe":
        return this.#watches.get(action.typeUrl)?.subscribed?.();
      case "timer": {
        const { id, after } = action;
        const fire = () => this.#step({ kind: "timer", id });
        this.#timers.push(this.#options.clock.after(after, fire));
        return;
      }
      case "send":
      case "ack":
      case "nack":
      case "settled":
        return this.#progress(action);
      case "not_requested": {
        const names = action.names.join(" ");
        this.notRequested.push(`${shortName(action.typeUrl)} [${names}]`);
        this.log.push(`  not requested ${this.notRequested.at(-1)}`);
        return;
      }
      case "fail":
        throw new Error(`the stream fails: ${action.message}`);
    }
  }

  #watch({ typeUrl, subscription }: Extract<StreamAction, { kind: "watch" }>) {
    const stream = this.#stream!;
    const request = {
      client: this.#client,
      typeUrl,
      subscription,
      inspect: (name: string) => stream.inspect(typeUrl, name),
      blocked: () => stream.blocked(typeUrl),
    };
    const watch = this.#options.cache.watch(request, {
      changed: (view, names) => {
        this.settled.delete(typeUrl);
        this.#step({ kind: "changed", typeUrl, view, names });
      },
      heartbeat: () => this.#step({ kind: "heartbeat", typeUrl }),
    });
    const { sequencing, history } = watch;
    this.#step({ kind: "watched", typeUrl, sequencing, history });
    this.#watches.set(typeUrl, watch);
  }

  #progress(
    action: Extract<
      StreamAction,
      { kind: "send" | "ack" | "nack" | "settled" }
    >,
  ) {
    const { view, typeUrl } = action;
    const progress = this.#watches.get(typeUrl)?.progress;
    if (!progress) return;
    if (action.kind === "settled") {
      this.settled.add(typeUrl);
      const { outcome } = action;
      const drained = outcome.drained ? "" : ", draining";
      this.log.push(`  settled ${shortName(typeUrl)}${drained}`);
      progress({ kind: "settled", view, outcome });
    } else if (action.kind === "nack") {
      const { refusal } = action;
      progress({ kind: "nacked", view, refusal });
    } else progress({ kind: action.kind === "send" ? "sent" : "acked", view });
  }
}
