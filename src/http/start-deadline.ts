/** The part of the time limit after which the start is given up, so that our message comes first. */
const PART = 0.9

/**
 * Waits for the start of Pawl in an application. If it takes longer than the application lets a
 * plugin take, this rejects a little earlier, with an error that names the option. The error of
 * Fastify names some inner plugin and suspects that it never finishes.
 *
 * `limit` is Fastify's `pluginTimeout` in milliseconds; 0 means no limit.
 */
export async function withinPluginTimeout(limit: number, start: Promise<unknown>): Promise<void> {
  if (limit === 0) {
    await start
    return
  }
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    const error = new Error(
      `Pawl has not started within ${limit} ms, the pluginTimeout of the application. Its first ` +
        'start, or one that waits for Postgres or Redis, may take longer: ' +
        'Fastify({ pluginTimeout: 60_000 })',
    )
    timer = setTimeout(reject, limit * PART, error)
  })
  try {
    await Promise.race([start, deadline])
  } finally {
    clearTimeout(timer)
  }
}
