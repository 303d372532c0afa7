const AT_ONCE = 100

/** Maps the items in batches, so that many tasks run at once, but not thousands. */
export async function mapInBatches(items, make) {
  const results = []
  for (let first = 0; first < items.length; first += AT_ONCE)
    results.push(...(await Promise.all(items.slice(first, first + AT_ONCE).map(make))))
  return results
}

/** Returns a request that is ready to be sent, with the credential in these headers. */
export const asks = (headers) => ({ method: 'GET', path: '/me', headers })
export const logsOut = (headers) => ({ method: 'POST', path: '/logout', headers })

export const bearer = (token) => ({ authorization: `Bearer ${token}` })
