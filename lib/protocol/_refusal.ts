/** Those of a response's names that a refusal speaks of; all of them if it speaks of none. */
export function concerned(
  message: string,
  names: readonly string[],
): readonly string[] {
  const named = names.filter((name) => mentions(message, name));
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
