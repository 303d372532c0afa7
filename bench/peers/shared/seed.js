const AT_ONCE = 100

/** One after the other where they wait for each other anyway, many at once where they do not. */
export async function mapInBatches(items, make) {
  const made = []
  for (let first = 0; first < items.length; first += AT_ONCE)
    made.push(...(await Promise.all(items.slice(first, first + AT_ONCE).map(make))))
  return made
}

/** A ready request with an access token. */
export function bearer(path, token) {
  return { method: 'GET', path, headers: { authorization: `Bearer ${token}` } }
}
