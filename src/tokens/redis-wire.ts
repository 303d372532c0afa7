import type { Authorization, Rotation } from './session-store.ts'

const NO_RETRY_KEY = '000000000000'

/** What rotate.lua is asked. Times in milliseconds. */
export interface RotationRequest {
  /** 16 bytes. */
  sessionId: Buffer
  /** 0 for the time of the server. */
  now: number
  idleTtl: number
  grace: number
  /** As presented. */
  generation: number
  retryKey: string | null
  era: number
  deadline: number
}

/** One argument, since ioredis takes longer over many than Redis over the script. */
export function packRotation(request: RotationRequest): Buffer {
  const packed = Buffer.allocUnsafe(54)
  request.sessionId.copy(packed)
  packed.writeUIntBE(request.now, 16, 6)
  packed.writeUIntBE(request.idleTtl, 22, 6)
  packed.writeUIntBE(request.grace, 28, 6)
  packed.writeUInt32BE(request.generation, 34)
  packed.write(request.retryKey ?? NO_RETRY_KEY, 38, 6, 'hex')
  packed.writeUInt32BE(request.era, 44)
  packed.writeUIntBE(request.deadline, 48, 6)
  return packed
}

/** What it answers, but for `late`. */
export function readRotation([outcome, ...facts]: readonly string[]): Rotation {
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
      const line = { generation, rotatedAt, expiresAt }
      return { outcome, line, authorization: authorizationOf(facts.slice(4)), now }
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
