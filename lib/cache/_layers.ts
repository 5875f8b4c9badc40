/** Below this many entries a map is copied, which costs less than to look in two. */
const SMALL = 64;

/**
 * A map that differs from another in some entries (`undefined` removes one), and is not to be written to. Neither is
 * copied whole, unless it is small or differs in much: the cost is about the square root of the size.
 */
export function changed<K, V>(
  map: ReadonlyMap<K, V>,
  changes: ReadonlyMap<K, V | undefined>,
): ReadonlyMap<K, V> {
  const [bottom, before] = map instanceof Layers
    ? [map.bottom, map.top]
    : [map, undefined];
  const differing = (before?.size ?? 0) + changes.size;
  if (bottom.size >= SMALL && differing ** 2 <= 2 * bottom.size) {
    return new Layers(bottom, new Map([...before ?? [], ...changes]));
  }
  const copy = new Map(map);
  for (const [key, value] of changes) {
    if (value === undefined) copy.delete(key);
    else copy.set(key, value);
  }
  return copy;
}

/** Two layers of a map: what the upper one says of a key counts. */
class Layers<K, V> implements ReadonlyMap<K, V> {
  readonly size: number;

  constructor(
    readonly bottom: ReadonlyMap<K, V>,
    readonly top: ReadonlyMap<K, V | undefined>,
  ) {
    let { size } = bottom;
    for (const [key, value] of top) {
      size += Number(value !== undefined) - Number(bottom.has(key));
    }
    this.size = size;
  }

  get(key: K): V | undefined {
    const value = this.top.get(key);
    return value !== undefined || this.top.has(key)
      ? value
      : this.bottom.get(key);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[K, V]> {
    for (const entry of this.bottom) {
      if (!this.top.has(entry[0])) yield entry;
      else {
        const value = this.top.get(entry[0]);
        if (value !== undefined) yield [entry[0], value];
      }
    }
    for (const [key, value] of this.top) {
      if (value !== undefined && !this.bottom.has(key)) yield [key, value];
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
