/** One page of a list, and the cursor of the next page if there is one. */
export interface Page<T> {
  items: T[]
  next?: string
}

/** Reads one page by keyset: asks for one row more than the page holds, to know if more follow. */
export async function readPage<T>(
  limit: number,
  read: (count: number) => Promise<T[]>,
  cursorOf: (last: T) => string,
): Promise<Page<T>> {
  const rows = await read(limit + 1)
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return rows.length > limit && last !== undefined ? { items, next: cursorOf(last) } : { items }
}
