import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { generateSigningKey, type SigningAlgorithm } from '../keys/signing-key.ts'

export interface Secrets {
  refreshTokenSecret: string
  accessTokenPrivateKey: string
  keyEncryptionSecret: string
}

const SecretsFile = Type.Object({
  refreshTokenSecret: Type.String({ minLength: 32 }),
  accessTokenKeys: Type.Record(Type.String(), Type.String()),
  /** Absent in a file that an earlier version wrote. */
  keyEncryptionSecret: Type.Optional(Type.String({ minLength: 32 })),
})
type SecretsFile = Static<typeof SecretsFile>

/** Generates secrets, in the form of the environment variables. */
export function generateSecrets(algorithm: SigningAlgorithm): Secrets {
  return {
    refreshTokenSecret: randomBytes(32).toString('base64url'),
    accessTokenPrivateKey: generateSigningKey(algorithm),
    keyEncryptionSecret: randomBytes(32).toString('base64url'),
  }
}

/**
 * Returns the secrets of the embedded default. They are generated on first use and stored in
 * `directory`, in a file that only its owner can read. The caller must hold the folder's lock.
 */
export async function loadSecrets(
  directory: string,
  algorithm: SigningAlgorithm,
): Promise<Secrets> {
  const path = join(directory, 'secrets.json')
  const stored = await readSecrets(path)
  const generated = generateSecrets(algorithm)
  const secrets: Secrets = {
    refreshTokenSecret: stored?.refreshTokenSecret ?? generated.refreshTokenSecret,
    accessTokenPrivateKey: stored?.accessTokenKeys[algorithm] ?? generated.accessTokenPrivateKey,
    keyEncryptionSecret: stored?.keyEncryptionSecret ?? generated.keyEncryptionSecret,
  }
  if (stored?.accessTokenKeys[algorithm] && stored.keyEncryptionSecret) return secrets
  const { accessTokenPrivateKey, ...rest } = secrets
  const file: SecretsFile = {
    ...rest,
    accessTokenKeys: { ...stored?.accessTokenKeys, [algorithm]: accessTokenPrivateKey },
  }
  // The rename is atomic, so a process that dies while writing leaves no half of a file behind.
  await writeFile(`${path}.new`, JSON.stringify(file), { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
  return secrets
}

async function readSecrets(path: string): Promise<SecretsFile | undefined> {
  try {
    const secrets = JSON.parse(await readFile(path, 'utf8'))
    if (!Value.Check(SecretsFile, secrets)) throw new Error('unknown format')
    return secrets
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`${path} cannot be read as a secrets file of Pawl`)
  }
}
