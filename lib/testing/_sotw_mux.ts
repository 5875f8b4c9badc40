import {
  type ModelRequest,
  modelRequest,
  type ModelResponse,
  RejectedError,
} from "./model.ts";
import type { Deliver, Fail, Mux, MuxWatch } from "./_mux.ts";

interface SotwType {
  /** The newest first, which is the order of delivery. */
  watches: MuxWatch[];
  version: string;
  nonce: string;
  error: string | undefined;
  pauses: number;
  isPending: boolean;
  isSubscribed: boolean;
}

/** Envoy's subscriptions in state of the world. */
export class SotwMux implements Mux {
  state = {
    isConnected: false,
    /** In the order of first subscription, in which Envoy reconnects. */
    types: new Map<string, SotwType>(),
    order: [] as string[],
  };
  readonly #deliver: Deliver;
  readonly #fail: Fail;
  #requests: ModelRequest[] = [];

  constructor(deliver: Deliver, fail: Fail) {
    this.#deliver = deliver;
    this.#fail = fail;
  }

  watch(typeUrl: string, names: readonly string[], owner: string) {
    const type = this.#type(typeUrl);
    type.watches.unshift({ owner, names });
    if (!type.isSubscribed) {
      type.isSubscribed = true;
      this.state.order.push(typeUrl);
    }
    this.#queue(typeUrl);
  }

  unwatch(typeUrl: string, owner: string) {
    const type = this.#type(typeUrl);
    type.watches = type.watches.filter((its) => its.owner !== owner);
    this.#queue(typeUrl);
  }

  pause(...typeUrls: string[]) {
    for (const typeUrl of typeUrls) this.#type(typeUrl).pauses++;
  }

  resume(...typeUrls: string[]) {
    for (const typeUrl of typeUrls) {
      const type = this.#type(typeUrl);
      type.pauses--;
      if (type.pauses > 0 || !type.isPending || !type.isSubscribed) continue;
      type.isPending = false;
      this.#queue(typeUrl);
    }
  }

  connect() {
    this.state.isConnected = true;
    for (const type of this.state.types.values()) type.nonce = "";
    for (const typeUrl of this.state.order) this.#queue(typeUrl);
  }

  disconnect() {
    this.state.isConnected = false;
    this.#requests = [];
  }

  receive(response: ModelResponse) {
    const { typeUrl, version, nonce, resources } = response;
    const type = this.state.types.get(typeUrl);
    if (!type) return;
    if (type.watches.length === 0) {
      type.nonce = nonce;
      if (resources.length === 0) type.version = version;
      else this.#queue(typeUrl);
      return;
    }
    this.pause(typeUrl);
    try {
      this.#process(type, response);
      type.version = version;
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      type.error = error.message;
      for (const { owner } of [...type.watches]) this.#fail(owner);
    }
    type.nonce = nonce;
    this.#queue(typeUrl);
    this.resume(typeUrl);
  }

  take(): ModelRequest[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }

  #process(type: SotwType, { resources }: ModelResponse) {
    for (const { owner, names } of [...type.watches]) {
      if (!type.watches.some((its) => its.owner === owner)) continue;
      if (names.length === 0) {
        this.#deliver(owner, resources, undefined);
        continue;
      }
      const found = resources.filter(({ name }) => names.includes(name));
      if (found.length > 0) this.#deliver(owner, found, undefined);
    }
  }

  #queue(typeUrl: string) {
    if (!this.state.isConnected) return;
    const type = this.#type(typeUrl);
    if (type.pauses > 0) {
      type.isPending = true;
      return;
    }
    const { version, nonce, error } = type;
    const names = [...new Set(type.watches.flatMap(({ names }) => names))];
    names.sort();
    this.#requests.push(
      modelRequest({ typeUrl, version, nonce, error, names }),
    );
    type.error = undefined;
  }

  #type(typeUrl: string): SotwType {
    let type = this.state.types.get(typeUrl);
    if (!type) {
      type = {
        watches: [],
        version: "",
        nonce: "",
        error: undefined,
        pauses: 0,
        isPending: false,
        isSubscribed: false,
      };
      this.state.types.set(typeUrl, type);
    }
    return type;
  }
}
