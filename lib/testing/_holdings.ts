import { mentionedNames } from "../protocol/_nack.ts";
import type { Protocol } from "../protocol/mod.ts";
import { canonicalName, collectionOf, traitsOf } from "../resource/mod.ts";
import type { HeldResource } from "./held.ts";
import type { Content } from "./response.ts";

/** What a client asked for of one type, and what it has of it. */
export class Holdings {
  readonly typeUrl: string;
  /** Whether it asked for anything on its stream. */
  opened = false;
  /** Its place among the types in the order in which they were requested. */
  openedAs = 0;
  /** Whether it asks for all. */
  wildcard = false;
  /** Whether it has named something, after which an empty list of names asks for nothing. */
  hasNamed = false;
  /** Names as it asks for them, by their canonical form. */
  readonly names = new Map<string, string>();
  /** Those of the names that it asks for since something that it holds refers to them. */
  readonly followed = new Set<string>();
  /** Version of the response that it accepted last. */
  version = "";
  /** Nonce of the response that it answered last on its stream. */
  nonce = "";
  /** Resources by name. */
  readonly resources = new Map<string, HeldResource>();
  /** Names of which it was told that there are none. */
  readonly missing = new Set<string>();
  readonly #protocol: Protocol;

  constructor(typeUrl: string, protocol: Protocol) {
    this.typeUrl = typeUrl;
    this.#protocol = protocol;
  }

  /** All that it asks for. */
  get all(): string[] {
    return [...this.wildcard ? ["*"] : [], ...this.names.values()];
  }

  /** All that it asks for, as it is said in a request: a client that never named anything asks for all by naming nothing. */
  get asked(): string[] {
    return this.hasNamed ? this.all : [];
  }

  /** Whether it asks for a resource of that name. */
  covers(name: string): boolean {
    return this.wildcard || this.names.has(name) ||
      this.names.has(collectionOf(name) ?? "");
  }

  /** Asks for all if no names are given, otherwise for these, too. */
  subscribe(names: readonly string[]) {
    if (names.length === 0) this.wildcard = true;
    for (const name of names) {
      this.hasNamed = true;
      if (name === "*") this.wildcard = true;
      else this.names.set(canonicalName(name), name);
    }
  }

  /** Asks for these names no longer, and drops what it held of them. */
  unsubscribe(names: readonly string[]) {
    for (const name of names) {
      this.hasNamed = true;
      this.followed.delete(name);
      if (name === "*") this.wildcard = false;
      else this.names.delete(canonicalName(name));
    }
    for (const name of this.resources.keys()) {
      if (!this.covers(name)) this.resources.delete(name);
    }
    for (const name of this.missing) {
      if (!this.covers(name)) this.missing.delete(name);
    }
    // Of nothing it has no version.
    if (!this.wildcard && this.names.size === 0) this.version = "";
  }

  /** Asks for these names, and no longer for those that it was told to follow before. */
  follow(names: ReadonlySet<string>): { added: string[]; dropped: string[] } {
    const added = [...names].filter((name) =>
      name === "*" ? !this.wildcard : !this.names.has(canonicalName(name))
    );
    const dropped = [...this.followed].filter((name) => !names.has(name));
    if (added.length > 0) this.subscribe(added);
    if (dropped.length > 0) this.unsubscribe(dropped);
    for (const name of added) this.followed.add(name);
    return { added, dropped };
  }

  /** Takes what a response says, but for what is refused with it. Returns the resources that are new. */
  take(content: Content, error: string | undefined): HeldResource[] {
    const said = [
      ...content.resources.map(({ name }) => name),
      ...content.removed,
    ];
    const refused = new Set(
      error === undefined ? [] : mentionedNames(error, said),
    );
    const isWhole = refused.size === 0 || refused.size === said.length;
    if (error !== undefined && isWhole) return [];
    const changed: HeldResource[] = [];
    const kept = new Set([...refused, ...content.refreshed]);
    for (const name of [...content.removed, ...content.missing]) {
      if (!refused.has(name)) this.#lose(name);
    }
    for (const resource of content.resources) {
      const { name } = resource;
      kept.add(name);
      if (refused.has(name) || !this.covers(name)) continue;
      if (!isSame(this.resources.get(name), resource)) changed.push(resource);
      this.resources.set(name, resource);
      this.missing.delete(name);
    }
    if (this.#isWhole(content)) {
      for (const name of [...this.resources.keys(), ...this.names.keys()]) {
        if (!kept.has(name)) this.#lose(name);
      }
    }
    return changed;
  }

  /** Whether what is left out of a response is gone. */
  #isWhole({ refreshed, resources }: Content): boolean {
    return this.#protocol === "sotw" &&
      traitsOf(this.typeUrl).composition === "full" &&
      !(resources.length === 0 && refreshed.length > 0);
  }

  #lose(name: string) {
    this.resources.delete(name);
    if (this.names.has(name)) this.missing.add(name);
  }
}

function isSame(held: HeldResource | undefined, resource: HeldResource) {
  return held?.bytes.length === resource.bytes.length &&
    held.bytes.every((byte, at) => byte === resource.bytes[at]);
}
