/**
 * Those of a response's names that a refusal speaks of; all of them if it speaks of none.
 *
 * @param names in the order in which their resources stand in the response, since gRPC's clients count them
 */
export function concerned(
  message: string,
  names: readonly string[],
): readonly string[] {
  const counted = new Set(
    [...message.matchAll(/\bresource index (\d+):/g)].map(([, index]) =>
      names[Number(index)]
    ),
  );
  const named = names.filter((name) =>
    counted.has(name) || mentions(message, name)
  );
  return named.length > 0 ? named : names;
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
