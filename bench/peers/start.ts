import { fileURLToPath } from 'node:url'
import { type Contender, startContender } from '../contender.ts'
import type { Peer } from './peer.ts'

const TSX = import.meta.resolve('tsx')

/** Starts a peer in its own process. Expects an empty Redis and an empty database. */
export async function startPeer(
  { name, server, freshFor }: Peer,
  redisUrl: string,
  databaseUrl: string,
): Promise<Contender> {
  const file = fileURLToPath(server)
  const contender = await startContender({
    name,
    file,
    flags: file.endsWith('.ts') ? ['--import', TSX] : [],
    // tsx takes its settings from the tsconfig.json of the working directory.
    cwd: fileURLToPath(new URL('.', server)),
    env: { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl },
  })
  return { ...contender, freshFor }
}
