import { assert, assertEquals } from "@std/assert";
import { changed } from "../../lib/cache/_layers.ts";

Deno.test("a map that is changed again and again is what a copy would be, and so is each that it was made of", () => {
  let state = 1;
  const below = (limit: number) => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
  for (const size of [0, 10, 63, 64, 100, 1_000]) {
    const start = Array.from({ length: size }, (_, i) => [i, -i] as const);
    const copy = new Map<number, number>(start);
    let map: ReadonlyMap<number, number> = new Map(copy);
    const made: [ReadonlyMap<number, number>, Map<number, number>][] = [];
    for (let round = 1; round < 300; round++) {
      const changes = new Map<number, number | undefined>();
      const most = round % 50 === 0 ? 200 : 3;
      for (let i = below(most); i >= 0; i--) {
        // Some of what there is, some of what was never there, and some of what was removed.
        const key = below(size + 20);
        changes.set(key, below(3) === 0 ? undefined : round);
      }
      map = changed(map, changes);
      for (const [key, value] of changes) {
        if (value === undefined) copy.delete(key);
        else copy.set(key, value);
      }
      if (round % 10 === 0) made.push([map, new Map(copy)]);
      assertEquals(map.size, copy.size);
    }
    for (const [map, copy] of made) {
      const sorted = [...copy].sort(([a], [b]) => a - b);
      assertEquals([...map].sort(([a], [b]) => a - b), sorted);
      assertEquals([...map.keys()].length, copy.size);
      assertEquals(new Set(map.values()), new Set(copy.values()));
      const told: [number, number][] = [];
      map.forEach((value, key) => told.push([key, value]));
      assertEquals(told, [...map]);
      for (let key = 0; key < size + 20; key++) {
        assertEquals(map.get(key), copy.get(key));
        assertEquals(map.has(key), copy.has(key));
      }
    }
  }
});

Deno.test("a change of a large map copies little of it", () => {
  const size = 10_000;
  let copied = 0;
  class Counting<K, V> extends Map<K, V> {
    override [Symbol.iterator]() {
      copied += this.size;
      return super[Symbol.iterator]();
    }
  }
  let map: ReadonlyMap<number, number> = new Counting(
    Array.from({ length: size }, (_, i) => [i, 0] as const),
  );
  copied = 0;
  for (let i = 0; i < 400; i++) map = changed(map, new Map([[i, 1]]));
  assertEquals(copied, 0);
  for (let i = 400; i < 500; i++) map = changed(map, new Map([[i, 1]]));
  assert(copied <= size, `${copied} entries of the lowest layer`);
});
