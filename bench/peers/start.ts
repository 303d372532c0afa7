import { fileURLToPath } from 'node:url'
import { type Contender, type Stores, startContender } from '../contender.ts'
import type { Peer } from './peer.ts'

const TSX = import.meta.resolve('tsx')

/** A peer in a process of its own, on stores that are empty. */
export function startPeer({ name, server }: Peer, { redis, postgres }: Stores): Promise<Contender> {
  const file = fileURLToPath(server)
  return startContender({
    name,
    file,
    flags: file.endsWith('.ts') ? ['--import', TSX] : [],
    // The loader takes its settings from the tsconfig.json of the working directory.
    cwd: fileURLToPath(new URL('.', server)),
    env: { REDIS_URL: redis.url, DATABASE_URL: postgres.url },
  })
}
