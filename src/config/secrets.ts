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
  /** A folder of an earlier version has none. */
  keyEncryptionSecret: Type.Optional(Type.String({ minLength: 32 })),
})
type SecretsFile = Static<typeof SecretsFile>

/** New secrets, in the form in which the environment takes them. */
export function generateSecrets(algorithm: SigningAlgorithm): Secrets {
  return {
    refreshTokenSecret: randomBytes(32).toString('base64url'),
    accessTokenPrivateKey: generateSigningKey(algorithm),
    keyEncryptionSecret: randomBytes(32).toString('base64url'),
  }
}

/**
 * The secrets of the embedded default: made on first use and kept in `directory`, readable by the owner alone.
 * The caller holds the folder's lock.
 */
export async function loadSecrets(
  directory: string,
  algorithm: SigningAlgorithm,
): Promise<Secrets> {
  const path = join(directory, 'secrets.json')
  const kept = await readSecrets(path)
  const made = generateSecrets(algorithm)
  const secrets: Secrets = {
    refreshTokenSecret: kept?.refreshTokenSecret ?? made.refreshTokenSecret,
    accessTokenPrivateKey: kept?.accessTokenKeys[algorithm] ?? made.accessTokenPrivateKey,
    keyEncryptionSecret: kept?.keyEncryptionSecret ?? made.keyEncryptionSecret,
  }
  if (kept?.accessTokenKeys[algorithm] && kept.keyEncryptionSecret) return secrets
  const { accessTokenPrivateKey, ...rest } = secrets
  const file: SecretsFile = {
    ...rest,
    accessTokenKeys: { ...kept?.accessTokenKeys, [algorithm]: accessTokenPrivateKey },
  }
  // A whole file or none: a process that dies while writing leaves no half of it behind.
  await writeFile(`${path}.new`, JSON.stringify(file), { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
  return secrets
}

async function readSecrets(path: string): Promise<SecretsFile | undefined> {
  try {
    const secrets = JSON.parse(await readFile(path, 'utf8'))
    if (!Value.Check(SecretsFile, secrets)) throw new Error('not our own')
    return secrets
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`${path} cannot be read as what this program once wrote there`)
  }
}
