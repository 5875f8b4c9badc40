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

/** A text in which private keys, inline data and tokens are replaced. */
export function withoutSecrets(text: string): string {
  return secrets.reduce(
    (left, [pattern, replacement]) => left.replace(pattern, replacement),
    text,
  );
}
