/** What lives in this process's heap, once all that can be collected was. */
import { Session } from "node:inspector/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const gc: () => void = runInNewContext("gc");

/** Bytes in use after a collection; those of buffers, which lie outside of the heap, included. */
export function usedBytes(): number {
  gc();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/**
 * What there is after a collection: objects by their class's name (closures are of `Function`), and the entries of all
 * maps, sets and arrays, which tell of strings and numbers that are kept.
 */
export async function kept(): Promise<Record<string, number>> {
  const session = new Session();
  session.connect();
  try {
    const objectGroup = "objects";
    // Deno's types of some of its answers are wrong.
    const post = session.post.bind(session) as (
      method: string,
      options: object,
    ) => Promise<unknown>;
    const { result } = await post("Runtime.evaluate", {
      expression: "Object.prototype",
      objectGroup,
    }) as { result: { objectId: string } };
    const { objects } = await post("Runtime.queryObjects", {
      prototypeObjectId: result.objectId,
      objectGroup,
    }) as { objects: { objectId: string } };
    const { result: { value } } = await post("Runtime.callFunctionOn", {
      objectId: objects.objectId,
      functionDeclaration: `${tally}`,
      returnByValue: true,
    }) as { result: { value: Record<string, number> } };
    await post("Runtime.releaseObjectGroup", { objectGroup });
    return value;
  } finally {
    session.disconnect();
  }
}

/** Called on the list of all objects. */
function tally(this: readonly object[]): Record<string, number> {
  const counts: Record<string, number> = {};
  const count = (kind: string, more: number) => {
    counts[kind] = (counts[kind] ?? 0) + more;
  };
  for (const object of this) {
    let name = "Object";
    for (
      let at: object | null = object;
      at;
      at = Object.getPrototypeOf(at)
    ) {
      const own = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
      if (typeof own !== "function") continue;
      const said = Object.getOwnPropertyDescriptor(own, "name")?.value;
      if (typeof said === "string") name = said;
      break;
    }
    count(name, 1);
    try {
      if (Array.isArray(object)) count("entries of Array", object.length);
      else if (object instanceof Map) count("entries of Map", object.size);
      else if (object instanceof Set) count("entries of Set", object.size);
    } catch {
      // The prototype of one.
    }
  }
  return counts;
}
