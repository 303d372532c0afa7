const AT_ONCE = 100

/** Runs one task at a time if they wait for each other anyway, and many at once otherwise. */
export async function mapInBatches(items, make) {
  const made = []
  for (let first = 0; first < items.length; first += AT_ONCE)
    made.push(...(await Promise.all(items.slice(first, first + AT_ONCE).map(make))))
  return made
}

/** Returns ready requests with this credential in their headers. */
export const asks = (headers) => ({ method: 'GET', path: '/me', headers })
export const logsOut = (headers) => ({ method: 'POST', path: '/logout', headers })

export const bearer = (token) => ({ authorization: `Bearer ${token}` })
