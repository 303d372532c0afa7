/**
 * Creates a map whose entries expire by the time at which they were added, which `addedAtOf`
 * returns. Adding an entry and removing expired ones cost O(1) each, amortised. An entry that is
 * added with an earlier time than the one before it is removed later than it might be, but at the
 * latest when that one is.
 */
export function createExpiringMap<V>(addedAtOf: (value: V) => number) {
  const entries = new Map<string, V>()
  // The iterator is kept, because a new one would have to pass the places of removed entries.
  let rest = entries.entries()
  let oldest: [key: string, value: V] | undefined

  function next(): [string, V] | undefined {
    const { done, value } = rest.next()
    if (!done) return value
    // An iterator that has reached the end does not see entries that are added later.
    rest = entries.entries()
    return rest.next().value
  }

  return {
    get: (key: string): V | undefined => entries.get(key),
    has: (key: string): boolean => entries.has(key),
    size: (): number => entries.size,
    entries: (): IterableIterator<[string, V]> => entries.entries(),

    /** Adds or replaces an entry. It moves to the end if its time has changed. */
    set(key: string, value: V): void {
      const known = entries.get(key)
      if (known !== undefined && addedAtOf(known) !== addedAtOf(value)) entries.delete(key)
      entries.set(key, value)
    },

    /** Removes the entries that were added at `time` or before. */
    removeUntil(time: number): void {
      for (oldest ??= next(); oldest; oldest = next()) {
        const [key, value] = oldest
        const current = entries.get(key)
        // An entry with another time has moved to the end, where the iterator reaches it again.
        if (current === undefined || addedAtOf(current) !== addedAtOf(value)) continue
        if (addedAtOf(current) > time) return
        entries.delete(key)
      }
    },
  }
}
