/** The formats in which the Redis store and the Lua scripts exchange data. */
import type { ClockRenewal } from './server-clocks.ts'
import type { AcceptedRotation, RotationResult } from './session-store.ts'

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
 * arguments than Redis takes for the script. `completeRequest` adds what differs each time that it
 * is sent.
 */
export function packRotationRequest(request: RotationRequest): Buffer {
  const packed = Buffer.alloc(60)
  request.sessionId.copy(packed)
  packed.writeUIntBE(request.now, 16, 6)
  packed.writeUIntBE(request.refreshIdleTtl, 22, 6)
  packed.writeUIntBE(request.grace, 28, 6)
  packed.writeUInt32BE(request.generation, 34)
  if (request.retryKey !== null) packed.write(request.retryKey, 38, 6, 'hex')
  return packed
}

/** What every command carries. Both times in milliseconds, by the clock of the Redis server. */
export interface CommandTerms {
  era: number
  /** After this time the script does nothing, because the node no longer waits for its reply. */
  deadline: number
  /** When that clock was last set back, or was first read. */
  steadySince: number
  renewal: ClockRenewal
}

/** Completes a packed request each time that it is sent. */
export function completeRequest(packed: Buffer, terms: CommandTerms): Buffer {
  packed.writeUInt32BE(terms.era, 44)
  packed.writeUIntBE(terms.deadline, 48, 6)
  packed.writeUIntBE(terms.steadySince, 54, 6)
  return packed
}

/**
 * Returns the time of the Redis server (milliseconds since 1970) if the reply says that the
 * deadline does not fit it, and undefined for any other reply.
 */
export function serverTimeOfRefusal(reply: unknown): number | undefined {
  const match = typeof reply === 'string' ? /^(?:late|early) (\d+)$/.exec(reply) : null
  return match ? Number(match[1]) : undefined
}

/** The layout of a packed session, which its first byte states. open.lua documents it. */
const LAYOUT = 1
/** Bytes, without and with the lead of the session's time. */
const SIZES = [26, 32]
const [GENERATION_OFFSET, EXPIRY_OFFSET, ERA_OFFSET] = [1, 17, 22]

/** Returns undefined if another version packed the session, or if the value is damaged. */
export function parsePackedSession(
  packed: Buffer | null | undefined,
): { generation: number; absoluteExpiry: number; era: number } | undefined {
  if (!packed || packed[0] !== LAYOUT || !SIZES.includes(packed.length)) return undefined
  return {
    generation: packed.readUInt32BE(GENERATION_OFFSET),
    absoluteExpiry: packed.readUIntBE(EXPIRY_OFFSET, 5) * 1_000,
    era: packed.readUInt32BE(ERA_OFFSET),
  }
}

/** A reply of rotate.lua. The snapshot of what the user may do is yet to be verified. */
export type RotationReply =
  | (Omit<AcceptedRotation, 'authorization'> & { snapshot: string })
  | Exclude<RotationResult, AcceptedRotation>

/** Parses any other reply of rotate.lua. */
export function parseRotationReply(reply: string): RotationReply {
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
      return { outcome, currentToken, snapshot: facts.slice(4).join(' '), now }
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
