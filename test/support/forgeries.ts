import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  sign,
} from 'node:crypto'
import type { Env } from './environment.ts'

type Part = Record<string, unknown>
type Sign = (input: string) => Buffer

const encode = (part: Part) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** Returns a JWT with any header, claims and signature. */
export function makeJwt(header: Part, claims: Part, signature: Sign): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${signature(input).toString('base64url')}`
}

/** Returns the header and the claims of a token without verifying it. */
export function readJwt(token: string): [header: Part, claims: Part] {
  const [header = '', claims = ''] = token.split('.')
  return [header, claims].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString())) as [
    Part,
    Part,
  ]
}

export const hmac =
  (secret: string): Sign =>
  (input) =>
    createHmac('sha256', secret).update(input).digest()

const none: Sign = () => Buffer.alloc(0)

/** Signs with the key of the server for this kind of token. */
export function signerOf(env: Env, kind: 'access' | 'refresh'): Sign {
  if (kind === 'refresh') return hmac(env.REFRESH_TOKEN_SECRET ?? '')
  return (input) => sign(null, Buffer.from(input), signingKeyOf(env))
}

/** Returns tokens that resemble the given one and must be refused, by what is wrong with them. */
export function forgeries(
  env: Env,
  token: string,
  kind: 'access' | 'refresh',
): Record<string, string> {
  const [header, claims] = readJwt(token)
  const [head = '', body = '', signature = ''] = token.split('.')
  const ours = signerOf(env, kind)
  const stranger = generateKeyPairSync('ed25519').privateKey
  const foreign: Sign =
    kind === 'refresh' ? hmac(randomUUID()) : (input) => sign(null, Buffer.from(input), stranger)
  const made = (changes: Part) => makeJwt(header, { ...claims, ...changes }, ours)
  const headed = (changes: Part, signature = ours) =>
    makeJwt({ ...header, ...changes }, claims, signature)

  const forged: Record<string, string> = {
    'alg none': headed({ alg: 'none' }, none),
    'alg None': headed({ alg: 'None' }, none),
    'alg none with our signature': headed({ alg: 'none' }),
    'no alg': headed({ alg: undefined }),
    'HS256 with the public key as its secret': headed({ alg: 'HS256' }, hmac(publicPem(env))),
    'HS256 with the trimmed public key': headed({ alg: 'HS256' }, hmac(publicPem(env).trim())),
    'HS256 with an empty secret': headed({ alg: 'HS256' }, hmac('')),
    'alg HS512': headed({ alg: 'HS512' }),
    'a foreign key': makeJwt(header, claims, foreign),
    'a foreign key that it brings itself': headed(
      { jwk: stranger.export({ format: 'jwk' }) },
      foreign,
    ),
    'no typ': headed({ typ: undefined }),
    'the common typ': headed({ typ: 'JWT' }),
    'the typ of the other kind': headed({ typ: kind === 'access' ? 'rt+jwt' : 'at+jwt' }),
    'another issuer': made({ iss: 'https://evil.example.com' }),
    'another audience': made({ aud: 'https://evil.example.com' }),
    'one more audience': made({ aud: [claims.aud, 'https://evil.example.com'] }),
    'a time to come': made({ nbf: Number(claims.exp) - 1 }),
    'an expiry that is text': made({ exp: String(claims.exp) }),
    'a tampered payload': `${head}.${encode({ ...claims, sub: randomUUID() })}.${signature}`,
    'a tampered header': `${encode({ ...header, cty: 'x' })}.${body}.${signature}`,
    'no signature': `${head}.${body}.`,
    'two parts': `${head}.${body}`,
    'four parts': `${token}.${signature}`,
    'a signature cut off': token.slice(0, -6),
    'a payload that is no JSON': `${head}.${Buffer.from('{').toString('base64url')}.${signature}`,
    'a payload that is null': makeJwt(header, null as unknown as Part, ours),
    'a header that is null': makeJwt(null as unknown as Part, claims, ours),
    'dots alone': '..',
    garbage: 'garbage',
  }
  for (const name of Object.keys(claims)) forged[`no ${name}`] = made({ [name]: undefined })
  return forged
}

/** Returns the same token with a valid signature and an expiry in the past. */
export function expired(env: Env, token: string, kind: 'access' | 'refresh'): string {
  const [header, claims] = readJwt(token)
  const exp = Math.floor(Date.now() / 1000) - 1
  return makeJwt(header, { ...claims, iat: exp - 60, exp }, signerOf(env, kind))
}

/** Returns the public half of the server's signing key, which anybody can download. */
function publicPem(env: Env): string {
  const key = createPrivateKey(signingKeyOf(env))
  return createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString()
}

function signingKeyOf({ ACCESS_TOKEN_PRIVATE_KEY = '' }: Env) {
  return {
    key: Buffer.from(ACCESS_TOKEN_PRIVATE_KEY, 'base64'),
    format: 'der',
    type: 'pkcs8',
  } as const
}
