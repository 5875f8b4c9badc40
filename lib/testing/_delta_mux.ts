import {
  type ModelRequest,
  modelRequest,
  type ModelResponse,
  RejectedError,
} from "./model.ts";
import type { Deliver, Fail, Mux, MuxWatch } from "./_mux.ts";

interface DeltaType {
  watches: MuxWatch[];
  /** Versions of requested resources; undefined where the server has yet to send one. */
  requested: Map<string, string | undefined>;
  /** Versions of resources that the wildcard gave. */
  wildcard: Map<string, string>;
  added: Set<string>;
  removed: Set<string>;
  isWildcard: boolean;
  wasRequested: boolean;
}

interface DeltaAnswer {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly error: string | undefined;
}

/** Envoy's subscriptions in delta. */
export class DeltaMux implements Mux {
  state = {
    isConnected: false,
    /** In the order of first subscription, in which Envoy reconnects. */
    types: new Map<string, DeltaType>(),
    pauses: new Map<string, number>(),
    answers: [] as DeltaAnswer[],
  };
  readonly #deliver: Deliver;
  readonly #fail: Fail;
  #requests: ModelRequest[] = [];

  constructor(deliver: Deliver, fail: Fail) {
    this.#deliver = deliver;
    this.#fail = fail;
  }

  watch(typeUrl: string, names: readonly string[], owner: string) {
    let type = this.state.types.get(typeUrl);
    if (!type) {
      type = {
        watches: [],
        requested: new Map(),
        wildcard: new Map(),
        added: new Set(),
        removed: new Set(),
        isWildcard: true,
        wasRequested: false,
      };
      this.state.types.set(typeUrl, type);
    }
    // A name that another watch has is not requested again.
    const added = names.filter((name) => !isWatched(type, name));
    type.watches.push({ owner, names });
    for (const name of added) {
      type.isWildcard = false;
      type.requested.set(name, undefined);
      type.removed.delete(name);
      type.added.add(name);
    }
    this.#trySend();
  }

  unwatch(typeUrl: string, owner: string) {
    const type = this.state.types.get(typeUrl);
    const watch = type?.watches.find((its) => its.owner === owner);
    if (!type || !watch) return;
    type.watches = type.watches.filter((its) => its !== watch);
    for (const name of watch.names) {
      if (isWatched(type, name)) continue;
      const wasRequested = type.requested.delete(name);
      type.added.delete(name);
      if (wasRequested) type.removed.add(name);
    }
    this.#trySend();
  }

  pause(...typeUrls: string[]) {
    for (const typeUrl of typeUrls) {
      const { pauses } = this.state;
      pauses.set(typeUrl, (pauses.get(typeUrl) ?? 0) + 1);
    }
  }

  resume(...typeUrls: string[]) {
    for (const typeUrl of typeUrls) {
      const { pauses } = this.state;
      pauses.set(typeUrl, pauses.get(typeUrl)! - 1);
      this.#trySend();
    }
  }

  connect() {
    this.state.isConnected = true;
    for (const type of this.state.types.values()) type.wasRequested = false;
    this.state.answers = [];
    this.#trySend();
  }

  disconnect() {
    this.state.isConnected = false;
    this.#requests = [];
  }

  receive(response: ModelResponse) {
    const { typeUrl, nonce, resources, removed } = response;
    const type = this.state.types.get(typeUrl);
    if (!type) return;
    let error: string | undefined;
    try {
      this.#process(type, response);
      for (const { name, version } of resources) {
        if (type.requested.has(name)) type.requested.set(name, version);
        else if (type.isWildcard) type.wildcard.set(name, version);
      }
      for (const name of removed) {
        if (type.requested.has(name)) type.requested.set(name, undefined);
        else type.wildcard.delete(name);
      }
    } catch (cause) {
      if (!(cause instanceof RejectedError)) throw cause;
      error = cause.message;
      for (const { owner } of [...type.watches]) this.#fail(owner);
    }
    this.state.answers.push({ typeUrl, nonce, error });
    this.#trySend();
  }

  take(): ModelRequest[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }

  #process(type: DeltaType, { resources, removed }: ModelResponse) {
    const parts = type.watches.map(({ owner, names }) => ({
      owner,
      resources: resources.filter((its) => isFor(names, its.name)),
      removed: removed.filter((name) => isFor(names, name)),
    }));
    const isEmpty = resources.length + removed.length === 0;
    const some = [
      ...parts.filter((its) => its.resources.length > 0),
      ...parts.filter((its) =>
        its.resources.length === 0 && (its.removed.length > 0 || isEmpty)
      ),
    ];
    for (const { owner, resources, removed } of some) {
      if (!type.watches.some((its) => its.owner === owner)) continue;
      this.#deliver(owner, resources, removed);
    }
  }

  #trySend() {
    if (!this.state.isConnected) return;
    for (;;) {
      const { answers } = this.state;
      const at = answers.findIndex((its) => !this.#isPaused(its.typeUrl));
      if (at >= 0) {
        const [answer] = answers.splice(at, 1);
        this.#send(answer.typeUrl, answer);
        continue;
      }
      const next = [...this.state.types].find(([typeUrl, type]) =>
        !this.#isPaused(typeUrl) && hasUpdate(type)
      );
      if (!next) return;
      this.#send(next[0]);
    }
  }

  #send(typeUrl: string, answer?: DeltaAnswer) {
    const type = this.state.types.get(typeUrl)!;
    const versions = new Map<string, string>();
    const added = new Set(type.added);
    if (!type.wasRequested) {
      type.wasRequested = true;
      for (const [name, version] of type.requested) {
        added.add(name);
        if (version !== undefined) versions.set(name, version);
      }
      for (const [name, version] of type.wildcard) versions.set(name, version);
      type.removed.clear();
    }
    const { nonce = "", error } = answer ?? {};
    const subscribe = [...added].sort();
    const unsubscribe = [...type.removed].sort();
    type.added.clear();
    type.removed = new Set();
    this.#requests.push(
      modelRequest({
        typeUrl,
        nonce,
        error,
        subscribe,
        unsubscribe,
        versions,
      }),
    );
  }

  #isPaused(typeUrl: string): boolean {
    return (this.state.pauses.get(typeUrl) ?? 0) > 0;
  }
}

function isWatched({ watches }: DeltaType, name: string): boolean {
  return watches.some(({ names }) => names.includes(name));
}

function isFor(names: readonly string[], name: string): boolean {
  return names.length === 0 || names.includes(name);
}

function hasUpdate(type: DeltaType): boolean {
  if (type.added.size + type.removed.size > 0) return true;
  return !type.wasRequested && (type.requested.size > 0 || type.isWildcard);
}
