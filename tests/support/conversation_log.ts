import { type ServerEvent, shortName } from "../../mod.ts";

/** Fields of an event that a line shows, in this order, where the event has them. */
const FIELDS = [
  "reason",
  "version",
  "nonce",
  "names",
  "removed",
  "waitingFor",
  "duration",
  "message",
] as const;

/** Records the events of a server, to show the conversation that led to a failure. */
export class ConversationLog {
  /** The events, oldest first. */
  readonly events: ServerEvent[] = [];
  readonly #lines: string[] = [];
  readonly #start = performance.now();

  /** The observer to pass to `serve`. */
  readonly observe = (event: ServerEvent): void => {
    this.events.push(event);
    this.note(describe(event));
  };

  /** Adds a line of the test's own. */
  note(line: string): void {
    const at = (performance.now() - this.#start).toFixed(0).padStart(6);
    this.#lines.push(`${at} ms  ${line}`);
  }

  /** Forgets what was recorded. */
  clear(): void {
    this.events.length = 0;
    this.#lines.length = 0;
  }

  /** The names of a type that responses contained, in the order in which they were sent. */
  sent(typeUrl: string): string[] {
    return this.events.flatMap((event) =>
      event.kind === "send" && event.typeUrl === typeUrl ? event.names : []
    );
  }

  /** One line per event. */
  toString(): string {
    return this.#lines.join("\n");
  }

  /** Runs a test; if it fails, the error shows the conversation. */
  async explain<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${message}\nThe conversation:\n${this}`, { cause });
    }
  }
}

function describe(event: ServerEvent): string {
  const fields = event as unknown as Record<string, unknown>;
  const { typeUrl, stream } = fields;
  const parts = [event.kind.padEnd(9)];
  const id = (stream as { id?: number } | undefined)?.id;
  if (id !== undefined) parts.push(`#${id}`);
  if (typeof typeUrl === "string" && typeUrl) parts.push(shortName(typeUrl));
  const nack = (fields.nack ?? fields.refusal) as object | undefined;
  const details: Record<string, unknown> = { ...fields, ...nack };
  if (event.kind === "subscribe") details.names = event.subscription.names;
  for (const field of FIELDS) {
    const value = details[field];
    const shown = value === undefined ? "" : text(value);
    if (shown && !(field === "removed" && shown === "[]")) {
      parts.push(`${field}=${shown}`);
    }
  }
  return parts.join(" ");
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return value.toFixed(0);
  if (value instanceof Set) return `[${[...value].map(text).join(" ")}]`;
  if (Array.isArray(value)) return `[${value.map(text).join(" ")}]`;
  const json = JSON.stringify(value);
  return json.replaceAll(/type\.googleapis\.com\/[\w.]+\./g, "");
}
