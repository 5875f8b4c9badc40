import { withoutSecrets } from "./_secrets.ts";
import { clipped } from "./_status.ts";

/** Length of a text, beyond which it is cut: a node's id may be as long as a request. */
const MAX_TEXT = 1_000;
/** Length of a text, beyond which it is cut before it is searched for secrets. */
const MAX_SEARCHED = 4_000;

/** A text that is not too long for a log. */
export function short(text: string): string {
  return clipped(text, MAX_TEXT);
}

/** What somebody said, without secrets, and not too long. */
export function safe(message: string): string {
  return short(withoutSecrets(clipped(message, MAX_SEARCHED)));
}
