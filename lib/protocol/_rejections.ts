import { type Refusal, sameContent, type View } from "../cache/mod.ts";
import type { Resource } from "../resource/mod.ts";
import { Isolation } from "./_isolation.ts";

interface Entry {
  readonly nack: Refusal;
  /** What the client NACKed; undefined if that was a removal. */
  readonly content: Resource | undefined;
}

/** A client's NACK of some of a response. */
export interface RejectionOptions {
  readonly nack: Refusal;
  /** Names that the client NACKed, or among which the culprit is. */
  readonly names: readonly string[];
  /** Whether the NACK says that it is about these; otherwise, the culprit is to be found. */
  readonly isAttributed: boolean;
  /** What was sent of a name; undefined if that was its removal. */
  readonly sent: (name: string) => Resource | undefined;
}

/**
 * What a client NACKed of a type, remembered by content: it is not sent again until the content changes, or the client
 * requests it anew.
 */
export class Rejections {
  readonly #entries = new Map<string, Entry>();
  /** The NACK of a response that had nothing in it, until the next answer. */
  empty: Refusal | undefined;
  #isolation: Isolation | undefined;
  /**
   * What was NACKed together, and what of it. An Envoy acknowledges a secret that it NACKed when it is sent that once more,
   * and still does not use it, so that an ACK of the parts settles nothing.
   */
  #unresolved:
    | { nack: Refusal; contents: ReadonlyMap<string, Resource | undefined> }
    | undefined;

  /** Whether nothing is remembered. */
  get isEmpty(): boolean {
    return this.#entries.size === 0 && !this.empty && !this.#isolation &&
      !this.#unresolved;
  }

  /** The oldest NACK that stands; undefined if none does. */
  get first(): Refusal | undefined {
    const [entry] = this.#entries.values();
    return entry?.nack ?? this.empty ?? this.#unresolved?.nack;
  }

  /** Finds the culprit among what was NACKed together; undefined if nothing is to be found. */
  get isolation(): Isolation | undefined {
    return this.#isolation;
  }

  /** Why the client NACKed what it was sent of a name last; undefined if it did not. */
  of(name: string): Refusal | undefined {
    return this.#entries.get(name)?.nack;
  }

  /** What the client NACKed of a name; undefined if that was a removal, or nothing. */
  contentOf(name: string): Resource | undefined {
    return this.#entries.get(name)?.content;
  }

  /** Whether the client NACKed this content. */
  rejects(resource: Resource): boolean {
    const entry = this.#entries.get(resource.name);
    return entry?.content !== undefined && sameContent(entry.content, resource);
  }

  /** Whether the client NACKed the removal of a name. */
  rejectsRemoval(name: string): boolean {
    const entry = this.#entries.get(name);
    return entry !== undefined && entry.content === undefined;
  }

  /** Whether a change of a name must wait since the culprit of a NACK is being looked for. */
  isolates(name: string): boolean {
    return this.#isolation !== undefined && !this.#isolation.admits(name);
  }

  /** Notes a NACK. */
  add({ nack, names, isAttributed, sent }: RejectionOptions) {
    if (names.length === 0) {
      this.empty = nack;
      return;
    }
    const isolation = this.#isolation;
    const culprits = isAttributed || names.length === 1
      ? names
      : isolation
      ? isolation.split()
      : this.#isolate({ nack, names, isAttributed, sent });
    for (const name of culprits) {
      this.#entries.set(name, { nack, content: sent(name) });
    }
    // The culprit is found.
    if (culprits.length > 0) this.#unresolved = undefined;
    isolation?.remove(culprits);
    this.#review();
  }

  /** Notes that the client ACKed a response with some names. */
  acked(names: Iterable<string>) {
    this.empty = undefined;
    for (const name of names) this.#entries.delete(name);
    this.#isolation?.next();
    this.#review();
  }

  /** Goes on to the next of what was NACKed together. */
  skip() {
    this.#isolation?.next();
    this.#review();
  }

  /** Forgets what was NACKed of a name: the client requests it anew, or no longer. */
  delete(name: string): boolean {
    return this.#entries.delete(name);
  }

  /** The names of what was NACKed. */
  names(): Iterable<string> {
    return this.#entries.keys();
  }

  /**
   * Forgets what a set has something else of, and what was NACKed together with that: which of several was at fault is a
   * guess, since a message may quote what was sent, other names and all. Returns the names.
   */
  replace(view: View): readonly string[] {
    const suspects = this.#unresolved?.contents ?? noContents;
    for (const [name, content] of suspects) {
      if (!isContent(view, name, content)) this.#unresolved = undefined;
    }
    const replaced = new Set<Refusal>();
    const forgotten: string[] = [];
    for (const [name, { nack, content }] of this.#entries) {
      if (!isContent(view, name, content)) replaced.add(nack);
    }
    for (const [name, { nack }] of this.#entries) {
      if (!replaced.has(nack)) continue;
      this.#entries.delete(name);
      forgotten.push(name);
    }
    return forgotten;
  }

  /** Begins to look for the culprit among names. None is found yet. */
  #isolate({ nack, names, sent }: RejectionOptions): readonly string[] {
    this.#isolation = new Isolation(names);
    const contents = new Map(names.map((name) => [name, sent(name)]));
    this.#unresolved = { nack, contents };
    return [];
  }

  #review() {
    if (this.#isolation?.isOver) this.#isolation = undefined;
  }
}

const noContents: ReadonlyMap<string, Resource | undefined> = new Map();

/** Whether that is what a set has of a name; undefined if it has nothing. */
function isContent(
  view: View,
  name: string,
  content: Resource | undefined,
): boolean {
  const resource = view.resources.get(name);
  if (!resource || !content) return resource === content;
  return sameContent(content, resource);
}
