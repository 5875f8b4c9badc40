/** A command's arguments: `word`, `key=value` and `key="a value"`. */
export class Arguments {
  readonly words: readonly string[];

  constructor(text: string) {
    this.words = (text.match(/(?:"[^"]*"|[^\s"])+/g) ?? []).map((word) =>
      word.replaceAll('"', "")
    );
  }

  /** Whether a word is there. */
  has(word: string): boolean {
    return this.words.includes(word);
  }

  /** The value of a key. */
  value(key: string): string | undefined {
    return this.words.find((word) => word.startsWith(`${key}=`))?.slice(
      key.length + 1,
    );
  }

  /** The value of a key, split at its commas; empty if there is none. */
  list(key: string): string[] {
    return this.value(key)?.split(",").filter((item) => item !== "") ?? [];
  }

  /** @throws if there is an argument that is neither one of the words nor has one of the keys */
  allow(words: readonly string[], keys: readonly string[]) {
    for (const word of this.words) {
      if (words.includes(word)) continue;
      if (keys.some((key) => word.startsWith(`${key}=`))) continue;
      throw new SyntaxError(`${word} means nothing here`);
    }
  }
}
