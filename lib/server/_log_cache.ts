import type { CacheEvent } from "../cache/mod.ts";
import type { Settings } from "./_log_stream.ts";
import { safe, short } from "./_log_text.ts";
import type { LogLevel, LogRecord } from "./log.ts";

/** The record of what a cache tells. */
export function cacheRecord(
  event: CacheEvent,
  level: LogLevel,
  settings: Settings,
): LogRecord {
  const { sentence, ...fields } = describe(event, settings);
  const key = event.key === undefined ? undefined : short(String(event.key));
  const of = key === undefined ? "" : ` of ${JSON.stringify(key)}`;
  return {
    level,
    message: sentence(of),
    event: event.kind,
    ...key !== undefined && { key },
    ...fields,
  };
}

/** How much an event of a cache matters. */
export function cacheLevel({ kind }: CacheEvent): LogLevel {
  switch (kind) {
    case "rollback":
    case "quarantine":
      return "warn";
    case "rollout":
    case "promote":
      return "info";
    default:
      return "debug";
  }
}

type Fields =
  & Omit<Partial<LogRecord>, "level" | "message" | "event" | "key">
  & { sentence: (of: string) => string };

function describe(event: CacheEvent, settings: Settings): Fields {
  const listed = (names: readonly string[]) => ({
    names: names.slice(0, settings.names).map(short),
    nameCount: names.length,
  });
  switch (event.kind) {
    case "spread": {
      const { share, clients, refused, duration } = event;
      return {
        share,
        clients,
        ...refused > 0 && { refused },
        duration,
        sentence: (of) =>
          `${share * 100} % of the clients${of} have answered a change`,
      };
    }
    case "overtake": {
      const { clients, answered, duration } = event;
      return {
        clients,
        answered,
        duration,
        sentence: (of) =>
          `a change${of} was overtaken when ${answered} of ${clients} clients had answered it`,
      };
    }
    case "rollout":
      return {
        ...listed(event.nodes),
        sentence: (of) =>
          `a rollout${of} goes to ${event.nodes.length} nodes first`,
      };
    case "promote":
      return {
        ...listed(event.nodes),
        duration: event.duration,
        sentence: (of) =>
          `a rollout${of} goes to all: ${event.nodes.length} nodes have taken it`,
      };
    case "rollback": {
      const { client, typeUrl, refusal } = event.rollback;
      const error = settings.isSecret(typeUrl)
        ? "[redacted]"
        : safe(refusal.message);
      const node = short(client.node.id);
      return {
        node,
        type: short(typeUrl),
        version: refusal.version,
        ...listed(refusal.names),
        error,
        sentence: (of) =>
          `a snapshot${of} was taken back, since ${
            JSON.stringify(node)
          } refused it: ${JSON.stringify(error)}`,
      };
    }
    case "quarantine": {
      const { quarantined } = event;
      const [{ resource, violations: [first] }] = quarantined;
      return {
        type: resource.typeUrl,
        ...listed(quarantined.map(({ resource }) => resource.name)),
        error: settings.isSecret(resource.typeUrl)
          ? "[redacted]"
          : safe(`${first.path ? `${first.path}: ` : ""}${first.message}`),
        sentence: (of) => `resources${of} are in quarantine`,
      };
    }
  }
}
