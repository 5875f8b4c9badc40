import { type ServerEvent, shortName } from "../../mod.ts";

/** What clients were sent: of each response that holds a resource, the type and the names. */
export function sent(events: readonly ServerEvent[]): string[] {
  return events.filter((event) => event.kind === "send")
    .filter(({ names }) => names.length > 0)
    .map(({ typeUrl, names }) => [shortName(typeUrl), ...names].join(" "));
}
