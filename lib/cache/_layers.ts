/** Below this many entries a map is copied, which costs less than to look in several. */
const SMALL = 64;

/**
 * A map that differs from another in some entries (`undefined` removes one), and is not to be written to. Neither is
 * copied whole, unless it is small or differs in much: the cost of a change is about the cube root of the size.
 */
export function changed<K, V>(
  map: ReadonlyMap<K, V>,
  changes: ReadonlyMap<K, V | undefined>,
): ReadonlyMap<K, V> {
  const layers = map instanceof Layers ? map as Layers<K, V> : undefined;
  const bottom = layers?.bottom ?? map;
  const middle = layers?.middle ?? noEntries<K, V>();
  const top = layers?.top ?? noEntries<K, V>();
  if (bottom.size >= SMALL) {
    let { size } = map;
    for (const [key, value] of changes) {
      size += Number(value !== undefined) - Number(map.has(key));
    }
    const root = Math.cbrt(bottom.size);
    const above = top.size + changes.size;
    if (above <= root) {
      return new Layers<K, V>(bottom, middle, merged(top, changes), size);
    }
    if (middle.size + above <= root ** 2) {
      const all = merged(middle, top, changes);
      return new Layers<K, V>(bottom, all, noEntries(), size);
    }
  }
  const copy = new Map(bottom);
  for (const layer of [middle, top, changes]) {
    for (const [key, value] of layer) {
      if (value === undefined) copy.delete(key);
      else copy.set(key, value);
    }
  }
  return copy;
}

const nothing: ReadonlyMap<unknown, undefined> = new Map();

function noEntries<K, V>(): ReadonlyMap<K, V | undefined> {
  return nothing as ReadonlyMap<K, undefined>;
}

function merged<K, V>(
  first: ReadonlyMap<K, V>,
  ...others: readonly ReadonlyMap<K, V>[]
): ReadonlyMap<K, V> {
  const all = new Map(first);
  for (const other of others) {
    for (const [key, value] of other) all.set(key, value);
  }
  return all;
}

/** Three layers of a map, each much smaller than the one below: what the uppermost says of a key counts. */
class Layers<K, V> implements ReadonlyMap<K, V> {
  constructor(
    readonly bottom: ReadonlyMap<K, V>,
    readonly middle: ReadonlyMap<K, V | undefined>,
    readonly top: ReadonlyMap<K, V | undefined>,
    readonly size: number,
  ) {}

  get(key: K): V | undefined {
    const upper = this.top.get(key);
    if (upper !== undefined || this.top.has(key)) return upper;
    const value = this.middle.get(key);
    if (value !== undefined || this.middle.has(key)) return value;
    return this.bottom.get(key);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[K, V]> {
    const { bottom, middle, top } = this;
    for (const entry of bottom) {
      const [key] = entry;
      if (!top.has(key) && !middle.has(key)) yield entry;
      else {
        const value = this.get(key);
        if (value !== undefined) yield [key, value];
      }
    }
    for (const key of middle.keys()) {
      if (bottom.has(key)) continue;
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
    for (const [key, value] of top) {
      if (value === undefined || bottom.has(key) || middle.has(key)) continue;
      yield [key, value];
    }
  }

  *keys(): MapIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(
    call: (value: V, key: K, map: ReadonlyMap<K, V>) => void,
  ): void {
    for (const [key, value] of this.entries()) call(value, key, this);
  }
}
