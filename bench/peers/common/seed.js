const AT_ONCE = 100

/** One after the other where they wait for each other anyway, many at once where they do not. */
export async function mapInBatches(items, make) {
  const made = []
  for (let first = 0; first < items.length; first += AT_ONCE)
    made.push(...(await Promise.all(items.slice(first, first + AT_ONCE).map(make))))
  return made
}

/** Ready requests of whoever has this credential in its headers. */
export const asks = (headers) => ({ method: 'GET', path: '/me', headers })
export const logsOut = (headers) => ({ method: 'POST', path: '/logout', headers })

export const bearer = (token) => ({ authorization: `Bearer ${token}` })
