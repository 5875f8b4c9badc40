const REDACTED = "[redacted]";

/** What may be found in a client's message that quotes what it was sent, and must not be kept. */
const secrets: readonly (readonly [RegExp, string])[] = [
  // A private key in PEM, or as much of it as is quoted.
  [
    /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    REDACTED,
  ],
  // A `DataSource` or secret in protobuf's text format or JSON.
  [
    /\b(inline_?(?:string|bytes)"?\s*:\s*)(?:"(?:[^"\\]|\\.)*(?:"|$)|'(?:[^'\\]|\\.)*(?:'|$))/gi,
    `$1${REDACTED}`,
  ],
  [/\b(Bearer)\s+[\w.~+/-]{8,}=*/gi, `$1 ${REDACTED}`],
  // A JSON Web Token.
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, REDACTED],
];

/** Characters in a row that a message and a secret have in common, from which on they are taken for a quotation. */
const QUOTED = 8;

/**
 * What a client said of a secret, without what it quotes of it, whatever form the secret has; its name may stand. All of it
 * is left out where the secret is not known.
 */
export function withoutContent(
  message: string,
  name: string,
  content: Uint8Array | undefined,
): string {
  if (!content) return REDACTED;
  const isIn = (text: string, parts: Set<string>) => {
    for (let at = 0; at + QUOTED <= text.length; at++) {
      parts.add(text.slice(at, at + QUOTED));
    }
    return parts;
  };
  const parts = isIn(latin1.decode(content), new Set());
  for (const part of isIn(name, new Set())) parts.delete(part);
  let left = "";
  let quotedTo = 0;
  for (let at = 0; at < message.length; at++) {
    if (parts.has(message.slice(at, at + QUOTED))) {
      if (at > quotedTo || left === "") left += REDACTED;
      quotedTo = at + QUOTED;
    } else if (at >= quotedTo) left += message[at];
  }
  return withoutSecrets(left);
}

const latin1 = new TextDecoder("latin1");

/** A text in which private keys, inline data and tokens are replaced. */
export function withoutSecrets(text: string): string {
  return secrets.reduce(
    (left, [pattern, replacement]) => left.replace(pattern, replacement),
    text,
  );
}
