import type { Change } from '../support/services/sources.ts'
import { type Break, FORGETFUL, FORGETFUL_LATER } from './break.ts'

const NO_HEALING: readonly Change[] = [
  {
    file: 'src/healing/postgres-healer.ts',
    text: 'for await (const revocations of feed.history()) {',
    by: 'for (const revocations of []) {',
  },
  // Healing takes some seconds, in which this memory refuses the session.
  FORGETFUL_LATER,
]

/** Breaks of what the servers do if a store lost data, lies about itself, or refuses commands. */
export const STORE_BREAKS: readonly Break[] = [
  {
    name: 'read on after a gap in the stream',
    fault: 'stream-lost',
    shows: 'revokedAccepted',
    changes: [
      {
        file: 'src/revocation/stream-follower.ts',
        text: 'hasGap = !batch.isContinuous || isBefore(end, batch.position) || end === NO_ENTRY',
        by: '',
      },
      {
        file: 'src/revocation/stream-follower.ts',
        text: 'const isProven = batch.isComplete && (batch.entries.length > 0 || end === position)',
        by: 'const isProven = true',
      },
    ],
  },
  {
    name: 'no order of eras',
    fault: 'redis-older',
    shows: 'revokedAccepted',
    changes: [
      {
        file: 'src/sessions/era-records.ts',
        text: 'return (await query(statement))[0]?.era ?? era',
        by: 'await query(statement)\n      return era',
      },
      FORGETFUL,
    ],
  },
  {
    name: 'take all servers that hide their run ids for one',
    fault: 'run-id-hidden',
    shows: 'revokedAccepted',
    changes: [
      {
        file: 'src/sessions/redis-era.ts',
        text: 'return HIDDEN + randomUUID()',
        by: 'return HIDDEN',
      },
      FORGETFUL,
    ],
  },
  {
    name: 'forget revocations after the own token lifetime',
    fault: 'token-ttl',
    shows: 'revokedAccepted',
    changes: [
      {
        file: 'src/sessions/hot-state.ts',
        text: 'const lifetime = () => longestTokenLife() + LEEWAY',
        by: "const lifetime = () => Number.parseInt(process.env.ACCESS_TOKEN_TTL ?? '')",
      },
    ],
  },
  {
    name: 'do not revoke again what Postgres lost',
    fault: 'postgres-restore',
    shows: 'revokedAccepted',
    changes: NO_HEALING,
  },
  {
    name: 'count a read-only Postgres as an error of the server',
    fault: 'postgres-read-only',
    shows: 'errors',
    changes: [{ file: 'src/db/database.ts', text: '57|25006|42P01', by: '57|42P01' }],
  },
  {
    name: 'do not revoke again what a fail-over of Postgres lost',
    fault: 'postgres-failover',
    shows: 'revokedAccepted',
    changes: NO_HEALING,
  },
  {
    name: 'count a lock that is not granted as an error of the server',
    fault: 'locked-table',
    shows: 'errors',
    changes: [{ file: 'src/db/database.ts', text: '42P01|55P03', by: '42P01' }],
  },
  {
    name: 'count a full Redis as an error of the server',
    fault: 'redis-full',
    shows: 'errors',
    changes: [
      {
        file: 'src/redis/await-reply.ts',
        text: 'const kind = kindOf(error)',
        by: "const kind = kindOf(error)\n      if (kind === 'full') throw error",
      },
    ],
  },
  {
    name: 'count a clock that was set as an error of the server',
    fault: 'redis-clock',
    shows: 'errors',
    changes: [
      {
        file: 'src/sessions/redis-store.ts',
        text: 'if (actualTime !== undefined && performance.now() - startedAt < COMMAND_DEADLINE) {',
        by: "if (actualTime !== undefined) {\n      throw new Error('the clock was set')",
      },
    ],
  },
  {
    name: 'count a part of the stream as the whole',
    fault: 'many-revocations',
    shows: 'revokedAccepted',
    changes: [
      {
        file: 'src/revocation/stream-follower.ts',
        text: 'if (revocation) known.add(revocation, { age: now - at, isPublished: true })',
        by: 'if (revocation && Math.random() < 0.5) known.add(revocation, { age: now - at, isPublished: true })',
      },
    ],
  },
  ...(['cluster-replicas', 'sentinel-tls'] as const).map((topology) => ({
    name: `skip the feed: ${topology}`,
    topology,
    fault: 'redis-kill',
    shows: 'revokedAccepted' as const,
    changes: [
      {
        file: 'src/revocation/stream-follower.ts',
        text: 'if (revocation) known.add(revocation, { age: now - at, isPublished: true })',
        by: 'void [revocation, now, at]',
      },
    ],
  })),
]
