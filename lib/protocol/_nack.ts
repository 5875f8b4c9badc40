/** How gRPC's clients say which of a response's resources they refuse. */
const byIndex = /\bresource index (\d+):/g;

/**
 * Whether a client that refuses a part of a response has taken the rest of it: gRPC's do. Of Envoy it is not known, since
 * it takes nothing of a response of which a part breaks a rule.
 */
export function appliesValidResources(message: string): boolean {
  return message.search(byIndex) >= 0;
}

/** How much of a message is read, and how much there is to search in it at most, in characters times names. */
const MOST_READ = 1024 ** 2;
const MOST_SEARCHED = 64 * 1024 ** 2;

/**
 * Those of a response's names that a NACK's message mentions. Where a long message may mention many, it is taken to mention
 * each of which it has all the words.
 *
 * @param names in the order in which their resources stand in the response, since gRPC's clients count them
 */
export function mentionedNames(
  message: string,
  names: readonly string[],
): readonly string[] {
  const read = message.slice(0, MOST_READ);
  const counted = new Set(
    [...read.matchAll(byIndex)].map(([, index]) => names[Number(index)]),
  );
  // A name that is mentioned stands between words, and so do the words in it.
  const words = wordsOf(read);
  const candidates = names.filter((name) =>
    name.match(word)?.every((its) => words.has(its)) ?? true
  );
  const isLong = candidates.length * read.length > MOST_SEARCHED;
  const mentioned = new Set(
    isLong ? candidates : candidates.filter((name) => mentions(read, name)),
  );
  return names.filter((name) => counted.has(name) || mentioned.has(name));
}

/** What names and messages are made of; all else stands between. */
const word = /[\w-]+/g;

function wordsOf(message: string): ReadonlySet<string> {
  const words = new Set<string>();
  for (const [its] of message.matchAll(word)) words.add(its);
  return words;
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
