import { SIGNING_ALGORITHMS } from '../../keys/signing-key.ts'
import { CLIENTS, type Client } from '../clients.ts'
import { parseRolePermissions, type RolePermissions } from '../permissions.ts'
import { isRepetitive, NOT_RANDOM } from '../random-text.ts'
import {
  duration,
  durationOrOff,
  flag,
  oneOf,
  optionalText,
  optionalUrl,
  variable,
} from '../variable.ts'

export const TOKEN_VARIABLES = {
  issuer: optionalUrl('ISSUER', ['https', 'http'], {
    computedDefault: 'the address that the server listens on',
    requiredWith: 'DATABASE_URL',
    description:
      'Public URL of this server: the claim `iss` of every token. The refresh cookie is ' +
      '`Secure` unless this is an `http://` URL of the same machine. An `http://` URL of another ' +
      'machine is a warning in the log.',
  }),
  audience: optionalText('AUDIENCE', {
    computedDefault: 'the value of `ISSUER`',
    format: 'the name of the API that access tokens are for',
    isValid: () => true,
    description: 'The API that access tokens are for: their claim `aud`.',
  }),
  accessTokenTtl: duration('ACCESS_TOKEN_TTL', {
    default: '15m',
    shortest: '1s',
    description: 'How long an access token is valid.',
  }),
  accessTokenAlg: oneOf('ACCESS_TOKEN_ALG', SIGNING_ALGORITHMS, {
    default: 'EdDSA',
    description:
      'Algorithm that signs access tokens: `EdDSA` (Ed25519), `ES256` or `RS256`. To change it, ' +
      'see [the guide](guides/keys.md).',
  }),
  rolePermissions: variable<RolePermissions>('ROLE_PERMISSIONS', {
    default: '{}',
    format: 'JSON that lists the permissions of each role, such as {"editor":["invoices:write"]}',
    isValid: (text) => parseRolePermissions(text) !== undefined,
    parse: (text) => parseRolePermissions(text) ?? {},
    description:
      'Permissions of each role, as JSON ([guide](guides/permissions.md)). A role that is not ' +
      'listed has none.',
  }),
  tokenPermissions: flag('TOKEN_PERMISSIONS', ['on', 'off'], {
    default: 'off',
    description:
      "Whether access tokens carry the permissions of the user's roles in the claim `permissions`.",
  }),
  introspectionClients: variable<readonly Client[]>('INTROSPECTION_CLIENTS', {
    ...CLIENTS,
    description:
      'Services that may introspect tokens, as comma-separated pairs of `id:secret` ' +
      '([guide](guides/gateways.md)). Without it, the introspection endpoint does not exist.',
  }),
  sessionClients: variable<readonly Client[]>('SESSION_CLIENTS', {
    ...CLIENTS,
    description:
      'Services that may start sessions for users whom they have authenticated, as ' +
      'comma-separated pairs of `id:secret` ([guide](guides/own-login.md)). Without it, the ' +
      'endpoint does not exist.',
  }),
}

export const KEY_VARIABLES = {
  accessTokenPrivateKey: optionalText('ACCESS_TOKEN_PRIVATE_KEY', {
    requiredWith: 'DATABASE_URL',
    // That it is a key at all depends on the algorithm: a rule of the configuration checks both.
    format:
      'a private key for ACCESS_TOKEN_ALG in PKCS #8, either as PEM or as the base64 of its DER, ' +
      'and of at least 3072 bits if it is for RS256',
    isValid: () => true,
    description:
      'First key that signs access tokens. Later keys are created by the servers and live in ' +
      'Postgres.',
  }),
  refreshTokenSecret: optionalText('REFRESH_TOKEN_SECRET', {
    requiredWith: 'DATABASE_URL',
    format: 'at least 32 random characters',
    isValid: (text) => text.length >= 32 && !isRepetitive(text),
    problemOf: (text) => (text.length >= 32 ? NOT_RANDOM : undefined),
    description:
      'First key that signs refresh tokens. Later keys are created by the servers and live in ' +
      'Postgres.',
  }),
  keyEncryptionSecret: optionalText('KEY_ENCRYPTION_SECRET', {
    requiredWith: 'DATABASE_URL',
    format:
      'at least 32 random characters without a comma, or, while it is being replaced, the new ' +
      'one, a comma and the old one',
    isValid: (text) => hasLongParts(text) && !isRepetitive(firstOf(text)),
    problemOf: (text) => (hasLongParts(text) ? NOT_RANDOM : undefined),
    description:
      'Secret under which the signing keys in Postgres are encrypted. To replace it, set the ' +
      'new one, a comma and the old one.',
  }),
  keyRotationAge: durationOrOff('KEY_ROTATION_AGE', {
    default: '90d',
    shortest: '1s',
    description:
      'How long a key signs before the next one takes over. With `off`, keys change only by ' +
      '`pawl keys rotate`.',
  }),
  keyPublicationDelay: duration('KEY_PUBLICATION_DELAY', {
    default: '10m',
    shortest: '0s',
    description:
      'How long the public half of a key is published before the key signs. The key set may be ' +
      'cached for half of this time.',
  }),
}

function hasLongParts(text: string): boolean {
  return text.split(',').every((secret) => secret.length >= 32)
}

/** Returns the secret in use. The one that it replaces need not be strong. */
function firstOf(text: string): string {
  return text.split(',')[0] ?? ''
}
