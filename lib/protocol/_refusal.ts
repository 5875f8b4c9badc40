/** How gRPC's clients say which of a response's resources they refuse. */
const byIndex = /\bresource index (\d+):/g;

/**
 * Whether a client that refuses a part of a response has taken the rest of it: gRPC's do. Of Envoy it is not known, since
 * it takes nothing of a response of which a part breaks a rule.
 */
export function takesTheRest(message: string): boolean {
  return message.search(byIndex) >= 0;
}

/**
 * Those of a response's names that a refusal speaks of; all of them if it does not say.
 *
 * @param names in the order in which their resources stand in the response, since gRPC's clients count them
 */
export function concerned(
  message: string,
  names: readonly string[],
): readonly string[] {
  const counted = new Set(
    [...message.matchAll(byIndex)].map(([, index]) => names[Number(index)]),
  );
  const told = names.filter((name) =>
    counted.has(name) || mentions(message, name)
  );
  return told.length > 0 ? told : names;
}

function mentions(message: string, name: string): boolean {
  const isInWord = (at: number) => /[\w-]/.test(message[at] ?? "");
  for (
    let at = message.indexOf(name);
    at >= 0;
    at = message.indexOf(name, at + 1)
  ) {
    if (!isInWord(at - 1) && !isInWord(at + name.length)) return true;
  }
  return false;
}
