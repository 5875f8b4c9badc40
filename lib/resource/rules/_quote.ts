const short: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

/** A text in quotes, as Go writes it, and so Envoy's messages do. */
export function quote(value: string): string {
  let quoted = '"';
  for (const character of value) {
    const code = character.codePointAt(0)!;
    const isControl = code < 0x20 || code === 0x7f;
    quoted += short[code] ??
      (isControl ? `\\x${code.toString(16).padStart(2, "0")}` : character);
  }
  return quoted + '"';
}
