/** The formats in which the Redis store and the Lua scripts exchange data. */
import type { Authorization, RotationResult } from './session-store.ts'

/** The argument of rotate.lua. Times in milliseconds. */
export interface RotationRequest {
  /** 16 bytes. */
  sessionId: Buffer
  /** 0 stands for the time of the server. */
  now: number
  refreshIdleTtl: number
  grace: number
  /** The generation of the presented token. */
  generation: number
  retryKey: string | null
}

/**
 * Packs the argument of rotate.lua. It is a single one, because ioredis takes longer to send many
 * arguments than Redis takes for the script. `setEraAndDeadline` completes it.
 */
export function packRotationRequest(request: RotationRequest): Buffer {
  const packed = Buffer.alloc(54)
  request.sessionId.copy(packed)
  packed.writeUIntBE(request.now, 16, 6)
  packed.writeUIntBE(request.refreshIdleTtl, 22, 6)
  packed.writeUIntBE(request.grace, 28, 6)
  packed.writeUInt32BE(request.generation, 34)
  if (request.retryKey !== null) packed.write(request.retryKey, 38, 6, 'hex')
  return packed
}

/**
 * Completes a packed request each time that it is sent. After the deadline (milliseconds, by the
 * time of the Redis server) the script does nothing, because the node no longer waits for its
 * reply.
 */
export function setEraAndDeadline(packed: Buffer, era: number, deadline: number): Buffer {
  packed.writeUInt32BE(era, 44)
  packed.writeUIntBE(deadline, 48, 6)
  return packed
}

/**
 * Returns the time of the Redis server (milliseconds since 1970) if the reply says that the
 * command arrived after its deadline, and undefined for any other reply.
 */
export function serverTimeOfLateReply(reply: unknown): number | undefined {
  return typeof reply === 'string' && reply.startsWith('late ') ? Number(reply.slice(5)) : undefined
}

/** Parses any other reply of rotate.lua. */
export function parseRotationReply(reply: string): RotationResult {
  const [outcome, ...facts] = reply.split(' ')
  switch (outcome) {
    case 'rotated':
    case 'replayed':
    case 'healed': {
      const [now, generation, rotatedAt, expiresAt] = facts.slice(0, 4).map(Number) as [
        number,
        number,
        number,
        number,
      ]
      const currentToken = { generation, rotatedAt, expiresAt }
      return { outcome, currentToken, authorization: authorizationOf(facts.slice(4)), now }
    }
    case 'reused':
      return { outcome, now: Number(facts[0]), currentGeneration: Number(facts[1]) }
    case 'expired':
    case 'unknown':
      return { outcome }
    default:
      throw new Error(`rotate.lua replied ${outcome}`)
  }
}

/** Returns `<ver> <role> <role> …`, as the hot state stores it. Roles contain no spaces. */
export function formatAuthorization({ ver, roles }: Authorization): string {
  return [ver, ...roles].join(' ')
}

export function parseAuthorization(text: string): Authorization {
  return authorizationOf(text.split(' '))
}

function authorizationOf([ver, ...roles]: readonly string[]): Authorization {
  return { ver: Number(ver), roles }
}
