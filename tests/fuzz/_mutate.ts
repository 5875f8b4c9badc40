/** Changes inputs by what they are made of: frames, fields, messages, JSON, and at last bytes. */
import { eachField } from "../../lib/resource/_wire.ts";
import { hex, type Input, type Part, unhex } from "./_input.ts";
import type { Random } from "./_random.ts";

const numbers = [0, 1, 2, 3, 4, 5, 7, 8, 9, 127, 128, 255, 1_000, 2 ** 31 - 1];
const values = [
  "",
  "POST",
  "GET",
  "CONNECT",
  "/",
  "*",
  "application/grpc",
  "application/grpc;x",
  "application/json",
  "trailers",
  "1n",
  "99999999H",
  "0",
  "4294967296",
  "\u00ff",
  "a\r\nb",
];
const names = [
  ":method",
  ":path",
  ":scheme",
  ":authority",
  ":status",
  "content-type",
  "content-length",
  "te",
  "grpc-timeout",
  "grpc-encoding",
  "expect",
  "connection",
  "Upper",
];
const jsonValues = [
  "null",
  "true",
  "0",
  "-1",
  "1e999",
  '""',
  '"a"',
  "[]",
  "{}",
  "[[[[]]]]",
  '{"__proto__":{}}',
  '{"id":"node"}',
];

/** Another input that is like one, or two. */
export function mutate(input: Input, other: Input, random: Random): Input {
  if (input.target === "rest") {
    return { target: "rest", body: mutateJson(input.body, random) };
  }
  let parts = structuredClone(input.parts);
  for (let times = 1 + random.below(4); times > 0; times--) {
    parts = mutateParts(parts, other, random);
  }
  return { target: "http2", parts: parts.slice(0, 200) };
}

function mutateParts(parts: Part[], other: Input, random: Random): Part[] {
  const at = random.below(parts.length + 1);
  switch (random.below(8)) {
    case 0:
      return [...parts.slice(0, at), ...parts.slice(at + 1)];
    case 1: {
      const again = parts.slice(at, at + 1 + random.below(3));
      const times = random.once(10) ? 50 : 1 + random.below(3);
      return parts.toSpliced(
        at,
        0,
        ...Array.from({ length: times }, () => structuredClone(again)).flat(),
      );
    }
    case 2: {
      const to = random.below(parts.length + 1);
      const moved = parts.slice(at, at + 1);
      return parts.toSpliced(at, 1).toSpliced(to, 0, ...moved);
    }
    case 3: {
      if (other.target !== "http2") return parts;
      const from = random.below(other.parts.length + 1);
      const spliced = structuredClone(
        other.parts.slice(from, from + 1 + random.below(5)),
      );
      return parts.toSpliced(at, 0, ...spliced);
    }
    case 4:
      return parts.toSpliced(at, 0, { kind: "cut" });
    case 5:
      return parts.toSpliced(at, 0, {
        kind: "frame",
        type: random.below(12),
        flags: random.of([0, 1, 4, 5, 8, 32, 255]),
        stream: random.below(8),
        payload: hex(bytes(random)),
      });
    default:
      return parts.map((part, index) =>
        index === at ? mutatePart(part, random) : part
      );
  }
}

function mutatePart(part: Part, random: Random): Part {
  switch (part.kind) {
    case "cut":
      return part;
    case "raw":
      return { ...part, bytes: mutateHex(part.bytes, random) };
    case "frame": {
      const changed = { ...part };
      const what = random.below(4);
      if (what === 0) changed.type = random.below(12);
      else if (what === 1) changed.flags ^= 1 << random.below(8);
      else if (what === 2) changed.stream = random.of(numbers);
      else changed.payload = mutateHex(part.payload, random);
      return changed;
    }
    case "headers": {
      const fields = part.fields.map((field) => [...field] as [string, string]);
      const at = random.below(fields.length);
      const what = random.below(5);
      if (what === 0) fields.splice(at, 1);
      else if (what === 1) {
        fields.splice(at, 0, [random.of(names), random.of(values)]);
      } else if (what === 2 && fields[at]) fields[at][1] = random.of(values);
      else if (what === 3) return { ...part, stream: random.below(12) };
      else return { ...part, flags: part.flags ^ 1 << random.below(6) };
      return { ...part, fields };
    }
    case "message": {
      const what = random.below(6);
      if (what === 0) return { ...part, stream: random.below(8) };
      if (what === 1) return { ...part, flag: random.below(3) };
      if (what === 2) return { ...part, flags: random.of([0, 1, 8]) };
      const message = mutateMessage(unhex(part.bytes), random);
      return { ...part, bytes: hex(message) };
    }
  }
}

/** Changes a protobuf message field by field, if it is one. */
function mutateMessage(message: Uint8Array, random: Random): Uint8Array {
  const fields: Uint8Array[] = [];
  let from = 0;
  try {
    eachField(message, 0, message.length, (field) => {
      fields.push(message.slice(from, field.end));
      from = field.end;
    });
  } catch {
    return unhex(mutateHex(hex(message), random));
  }
  const at = random.below(fields.length + 1);
  const what = random.below(6);
  if (what === 0) fields.splice(at, 1);
  else if (what === 1 && fields[at]) {
    const times = random.once(20) ? 5_000 : 1 + random.below(4);
    fields.splice(at, 0, ...new Array(times).fill(fields[at]));
  } else if (what === 2 && fields[at]) {
    fields[at] = fields[at].slice();
    fields[at][0] = (1 + random.below(15)) << 3 | fields[at][0] & 7;
  } else if (what === 3) {
    const payload = bytes(random);
    fields.splice(
      at,
      0,
      Uint8Array.of(
        (1 + random.below(15)) << 3 | 2,
        payload.length,
        ...payload,
      ),
    );
  } else if (fields[at]?.length > 2 && (fields[at][0] & 7) === 2) {
    // What is in it may be a message, too.
    const inner = mutateMessage(fields[at].slice(2), random).slice(0, 127);
    fields[at] = Uint8Array.of(fields[at][0], inner.length, ...inner);
  } else return unhex(mutateHex(hex(message), random));
  return Uint8Array.from(fields.flatMap((field) => [...field]));
}

function mutateJson(text: string, random: Random): string {
  const what = random.below(4);
  const at = random.below(text.length + 1);
  if (what === 0) {
    const places = [...text.matchAll(/"[^"]*"|\d+|\[\]|\{\}|true|null/g)];
    const place = places.length > 0 ? random.of(places) : undefined;
    if (place) {
      return text.slice(0, place.index) + random.of(jsonValues) +
        text.slice(place.index + place[0].length);
    }
  }
  if (what === 1) return text.slice(0, at) + text.slice(at + 1);
  if (what === 2) {
    const part = text.slice(at, at + random.below(20));
    return text.slice(0, at) + part.repeat(random.once(10) ? 2_000 : 2) +
      text.slice(at);
  }
  return text.slice(0, at) + String.fromCharCode(random.below(256)) +
    text.slice(at + random.below(2));
}

function mutateHex(text: string, random: Random): string {
  const all = unhex(text);
  const at = random.below(all.length + 1);
  const what = random.below(4);
  if (what === 0 && at < all.length) all[at] ^= 1 << random.below(8);
  else if (what === 1 && at < all.length) all[at] = random.of([0, 127, 255]);
  else if (what === 2) return hex(all.slice(0, at));
  else {return hex(
      Uint8Array.of(...all.slice(0, at), ...bytes(random), ...all.slice(at)),
    );}
  return hex(all);
}

function bytes(random: Random): Uint8Array {
  return Uint8Array.from(
    { length: random.below(12) },
    () => random.once(2) ? random.below(256) : random.of([0, 1, 255, 97]),
  );
}
