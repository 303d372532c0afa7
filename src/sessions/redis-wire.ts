import type { Authorization, RotationResult } from './session-store.ts'

/** What rotate.lua is asked. Times in milliseconds. */
export interface RotationRequest {
  /** 16 bytes. */
  sessionId: Buffer
  /** 0 for the time of the server. */
  now: number
  refreshIdleTtl: number
  grace: number
  /** As presented. */
  generation: number
  retryKey: string | null
}

/** One argument, since ioredis takes longer over many than Redis over the script. `stamp` makes it whole. */
export function packRotation(request: RotationRequest): Buffer {
  const packed = Buffer.alloc(54)
  request.sessionId.copy(packed)
  packed.writeUIntBE(request.now, 16, 6)
  packed.writeUIntBE(request.refreshIdleTtl, 22, 6)
  packed.writeUIntBE(request.grace, 28, 6)
  packed.writeUInt32BE(request.generation, 34)
  if (request.retryKey !== null) packed.write(request.retryKey, 38, 6, 'hex')
  return packed
}

/** Each time that it is sent: the era, and when nobody waits for the reply any more. */
export function stamp(packed: Buffer, era: number, deadline: number): Buffer {
  packed.writeUInt32BE(era, 44)
  packed.writeUIntBE(deadline, 48, 6)
  return packed
}

/** Of a reply that says that the command came too late, the time of the server. */
export function lateness(reply: unknown): number | undefined {
  return typeof reply === 'string' && reply.startsWith('late ') ? Number(reply.slice(5)) : undefined
}

/** What rotate.lua answers otherwise. */
export function readRotation(reply: string): RotationResult {
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
      throw new Error(`rotate.lua answered ${outcome}`)
  }
}

export function encode({ ver, roles }: Authorization): string {
  return [ver, ...roles].join(' ')
}

export function decode(text: string): Authorization {
  return authorizationOf(text.split(' '))
}

function authorizationOf([ver, ...roles]: readonly string[]): Authorization {
  return { ver: Number(ver), roles }
}
