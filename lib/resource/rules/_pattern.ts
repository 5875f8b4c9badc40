/** What protoc-gen-validate knows by name: RE2, as it is written there. */
const wellKnown: Readonly<Record<string, string>> = {
  HTTP_HEADER_NAME: "^:?[0-9a-zA-Z!#$%&'*+-.^_|~\x60]+$",
  HTTP_HEADER_VALUE: "^[^\u0000-\u0008\u000A-\u001F\u007F]*$",
};
/** What takes the place of either where a rule is not strict. */
const lax = "^[^\u0000\u000A\u000D]*$";

/** The pattern of a well-known name. */
export function wellKnownPattern(name: string, strict: boolean): string {
  const found = wellKnown[name];
  if (found === undefined) {
    throw new Error(`the well-known regex ${name} is not known`);
  }
  return strict ? found : lax;
}

/**
 * A JavaScript expression that matches what an RE2 pattern does as a whole (`RE2::FullMatch`), for the part of RE2 that
 * reads the same in both, but for `.` and `\s`, which are rewritten.
 *
 * @throws {Error} for syntax that may not mean the same
 */
export function pattern(re2: string): RegExp {
  let source = "";
  let inClass = false;
  for (let at = 0; at < re2.length; at++) {
    const character = re2[at];
    if (character === "\\") {
      const escaped = re2[++at];
      if (escaped === "x") {
        source += `\\x${re2.slice(at + 1, at + 3)}`;
        at += 2;
      } else if (escaped === "s") {
        source += inClass ? space : `[${space}]`;
      } else if (/\w/.test(escaped)) {
        throw new Error(`what \\${escaped} of ${re2} matches is not known`);
      } else source += inClass || escaped !== "-" ? escape(escaped) : "-";
    } else if (inClass) {
      if (character === "[") {
        throw new Error(`${re2} has a class within a class`);
      }
      inClass = character !== "]";
      source += character;
    } else {
      if (character === "(" && re2[at + 1] === "?") {
        throw new Error(`${re2} has a group with a flag`);
      }
      inClass = character === "[";
      source += character === "." ? "[^\\n]" : character;
    }
  }
  return new RegExp(`^(?:${source})$`, "u");
}

const space = "\\t\\n\\f\\r ";

function escape(character: string): string {
  return /[\^$\\.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}
