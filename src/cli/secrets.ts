import { randomBytes } from 'node:crypto'
import { type Command, Option } from 'commander'
import { generateSecrets } from '../config/secrets.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../keys/signing-key.ts'
import type { Terminal } from './terminal.ts'

/** Adds `pawl secrets`, which generates what the server requires in production. */
export function addSecrets(program: Command, { stdout }: Terminal): void {
  program
    .command('secrets')
    .description('print new secrets as lines for an .env file')
    .addOption(
      new Option('--alg <algorithm>', 'algorithm that signs access tokens')
        .choices(SIGNING_ALGORITHMS)
        .default('EdDSA'),
    )
    .addHelpText('after', '\nFrom a checkout: npm run --silent pawl -- secrets > .env')
    .action(({ alg }: { alg: SigningAlgorithm }) => {
      const { refreshTokenSecret, accessTokenPrivateKey, keyEncryptionSecret } =
        generateSecrets(alg)
      const lines = [
        ...(alg === 'EdDSA' ? [] : [`ACCESS_TOKEN_ALG=${alg}`]),
        `REFRESH_TOKEN_SECRET=${refreshTokenSecret}`,
        `ACCESS_TOKEN_PRIVATE_KEY=${accessTokenPrivateKey}`,
        `KEY_ENCRYPTION_SECRET=${keyEncryptionSecret}`,
        // docker-compose.yml creates its stores with these passwords. They are hex, because they
        // are part of URLs.
        `POSTGRES_PASSWORD=${randomBytes(16).toString('hex')}`,
        `REDIS_PASSWORD=${randomBytes(16).toString('hex')}`,
      ]
      stdout.write(`${lines.join('\n')}\n`)
    })
}
