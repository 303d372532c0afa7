import { randomBytes } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { readPrivateFile, replacePrivateFile } from '../common/private-files.ts'
import { generateSigningKey, type SigningAlgorithm } from '../keys/signing-key.ts'

export interface Secrets {
  refreshTokenSecret: string
  accessTokenPrivateKey: string
  keyEncryptionSecret: string
}

const SecretsFile = Type.Object({
  refreshTokenSecret: Type.String({ minLength: 32 }),
  /** The key of each algorithm that was configured so far. */
  accessTokenKeys: Type.Record(Type.String(), Type.String()),
  /** The file of an earlier version does not have it. */
  keyEncryptionSecret: Type.Optional(Type.String({ minLength: 32 })),
})
type SecretsFile = Static<typeof SecretsFile>

/** Returns new secrets in the form that the environment variables take. */
export function generateSecrets(algorithm: SigningAlgorithm): Secrets {
  return {
    refreshTokenSecret: randomBytes(32).toString('base64url'),
    accessTokenPrivateKey: generateSigningKey(algorithm),
    keyEncryptionSecret: randomBytes(32).toString('base64url'),
  }
}

export interface SecretsOptions extends Partial<{ [Name in keyof Secrets]: string | undefined }> {
  dataDir: string
  accessTokenAlg: SigningAlgorithm
}

/**
 * Returns the configured secrets. The embedded default does not need to configure them: those that
 * are missing are created on the first use and stored in `dataDir`, readable by the owner only. The
 * caller must hold the lock of that directory.
 */
export async function loadSecrets(options: SecretsOptions): Promise<Secrets> {
  const { accessTokenPrivateKey, refreshTokenSecret, keyEncryptionSecret } = options
  if (accessTokenPrivateKey && refreshTokenSecret && keyEncryptionSecret)
    return { accessTokenPrivateKey, refreshTokenSecret, keyEncryptionSecret }
  const stored = await loadStoredSecrets(options)
  return {
    accessTokenPrivateKey: accessTokenPrivateKey ?? stored.accessTokenPrivateKey,
    refreshTokenSecret: refreshTokenSecret ?? stored.refreshTokenSecret,
    keyEncryptionSecret: keyEncryptionSecret ?? stored.keyEncryptionSecret,
  }
}

async function loadStoredSecrets({ dataDir, accessTokenAlg }: SecretsOptions): Promise<Secrets> {
  const path = join(dataDir, 'secrets.json')
  const stored = await readSecrets(path)
  const storedKey = stored?.accessTokenKeys[accessTokenAlg]
  if (stored?.keyEncryptionSecret && storedKey) {
    const { refreshTokenSecret, keyEncryptionSecret } = stored
    return { refreshTokenSecret, keyEncryptionSecret, accessTokenPrivateKey: storedKey }
  }
  const generated = generateSecrets(accessTokenAlg)
  const accessTokenPrivateKey = storedKey ?? generated.accessTokenPrivateKey
  const others = {
    refreshTokenSecret: stored?.refreshTokenSecret ?? generated.refreshTokenSecret,
    keyEncryptionSecret: stored?.keyEncryptionSecret ?? generated.keyEncryptionSecret,
  }
  await writeSecrets(path, {
    ...others,
    accessTokenKeys: { ...stored?.accessTokenKeys, [accessTokenAlg]: accessTokenPrivateKey },
  })
  return { ...others, accessTokenPrivateKey }
}

/** Writes atomically, so that a process that dies meanwhile leaves no incomplete file. */
async function writeSecrets(path: string, secrets: SecretsFile): Promise<void> {
  await replacePrivateFile(`${path}.new`, JSON.stringify(secrets))
  await rename(`${path}.new`, path)
}

async function readSecrets(path: string): Promise<SecretsFile | undefined> {
  const text = await readPrivateFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error.code === 'ELOOP' ? new Error(`${path} is a link: put the file itself there`) : error
  })
  if (text === undefined) return undefined
  try {
    const secrets = JSON.parse(text)
    if (Value.Check(SecretsFile, secrets)) return secrets
  } catch {
    // The message must not quote the file, as the message of a JSON error does.
  }
  throw new Error(`${path} is damaged, or was not written by this program`)
}
