import { randomBytes } from 'node:crypto'
import { type Command, Option } from 'commander'
import { generateSecrets } from '../config/secrets.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../keys/signing-key.ts'
import type { Terminal } from './terminal.ts'

/** `pawl secrets`: what the server requires of a production environment and nobody should make up. */
export function addSecrets(program: Command, { stdout }: Terminal): void {
  program
    .command('secrets')
    .description('print new secrets, as lines for an .env file')
    .addOption(
      new Option('--alg <algorithm>', 'what access tokens are signed with')
        .choices(SIGNING_ALGORITHMS)
        .default('EdDSA'),
    )
    .addHelpText('after', '\nFrom a checkout: npm run --silent pawl -- secrets > .env')
    .action(({ alg }: { alg: SigningAlgorithm }) => {
      const { refreshTokenSecret, accessTokenPrivateKey, keyEncryptionSecret } =
        generateSecrets(alg)
      if (alg !== 'EdDSA') stdout.write(`ACCESS_TOKEN_ALG=${alg}\n`)
      stdout.write(
        `REFRESH_TOKEN_SECRET=${refreshTokenSecret}\nACCESS_TOKEN_PRIVATE_KEY=${accessTokenPrivateKey}\n`,
      )
      stdout.write(`KEY_ENCRYPTION_SECRET=${keyEncryptionSecret}\n`)
      // Not the server's own: docker-compose.yml makes a Postgres with it. It goes into a URL.
      stdout.write(`POSTGRES_PASSWORD=${randomBytes(16).toString('hex')}\n`)
    })
}
