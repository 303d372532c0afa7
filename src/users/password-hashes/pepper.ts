import { createHash } from 'node:crypto'

export interface Pepper {
  /** Names the pepper in a hash. It says nothing about the secret. */
  id: string
  secret: Buffer
}

export type Peppers = ReturnType<typeof createPeppers>

/**
 * Creates the peppers that `PASSWORD_PEPPER` holds, comma-separated. The first one is for new
 * hashes; if it is empty, they have none. The others are those of hashes that are stored.
 */
export function createPeppers(text = '') {
  const peppers = text.split(',').map((secret) => (secret ? toPepper(secret) : undefined))
  const byId = new Map(peppers.flatMap((pepper) => (pepper ? [[pepper.id, pepper]] : [])))
  return {
    current: peppers[0],
    find: (id: string): Pepper | undefined => byId.get(id),
  }
}

function toPepper(secret: string): Pepper {
  const digest = createHash('sha256').update(`pawl pepper ${secret}`).digest('base64')
  return { id: digest.slice(0, 8), secret: Buffer.from(secret) }
}

/** Adds the name of a pepper to a PHC string, which has the field `keyid` for that. */
export function withPepperId(hash: string, { id }: Pepper): string {
  return hash.replace(/(\$m=\d+,t=\d+,p=\d+)\$/, `$1,keyid=${id}$`)
}
