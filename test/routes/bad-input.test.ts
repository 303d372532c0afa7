import { test } from 'node:test'
import type { ErrorCode } from '../../src/errors.ts'
import { PASSWORD } from '../support/credentials.ts'
import { listen } from '../support/listening-server.ts'
import { chunkedRequest, type HeaderLines, request } from '../support/raw-http.ts'
import { expectRefusals, type Refusal } from '../support/refusals.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }
const EMAIL = 'nobody@example.com'
const JWT = 'e30.e30.e30'

/** Every route that reads a JSON body, a body of the right shape, and the code for useless text. */
const ROUTES: {
  path: string
  good: Record<string, string>
  /** The properties that may be missing. */
  optional?: string[]
  uselessText: ErrorCode
}[] = [
  {
    path: '/auth/signup',
    good: { email: EMAIL, password: PASSWORD },
    uselessText: 'VALIDATION_FAILED',
  },
  {
    path: '/auth/login',
    good: { email: EMAIL, password: PASSWORD },
    uselessText: 'VALIDATION_FAILED',
  },
  { path: '/auth/refresh', good: { refreshToken: JWT }, uselessText: 'AUTH_INVALID_REFRESH_TOKEN' },
  {
    path: '/auth/password',
    good: { currentPassword: PASSWORD, newPassword: `${PASSWORD}, or two` },
    uselessText: 'VALIDATION_FAILED',
  },
  { path: '/auth/password/forgot', good: { email: EMAIL }, uselessText: 'VALIDATION_FAILED' },
  {
    path: '/auth/password/reset',
    good: { token: JWT, newPassword: PASSWORD },
    uselessText: 'VALIDATION_FAILED',
  },
  { path: '/auth/email/verify', good: { token: JWT }, uselessText: 'VALIDATION_FAILED' },
  { path: '/auth/email', good: { email: EMAIL }, uselessText: 'VALIDATION_FAILED' },
  {
    path: '/admin/users',
    good: { email: EMAIL, password: PASSWORD },
    // A user may have an id instead, and no password.
    optional: ['email', 'password'],
    uselessText: 'VALIDATION_FAILED',
  },
  { path: '/auth/logout', good: { refreshToken: JWT }, uselessText: 'AUTH_INVALID_TOKEN' },
]

type Case = Omit<Refusal, 'bytes'> & {
  body?: string | Buffer
  headers?: HeaderLines
  chunked?: boolean
}

/** Returns the cases of a route as bytes. */
function on(path: string, cases: Case[]): Refusal[] {
  return cases.map(({ body, headers = JSON_TYPE, chunked, ...rest }) => ({
    ...rest,
    name: `POST ${path}, ${rest.name}`,
    bytes: chunked
      ? chunkedRequest('POST', path, headers, body ?? '')
      : request('POST', path, headers, body),
  }))
}

function forEachRoute(cases: (route: (typeof ROUTES)[number]) => Case[]): Refusal[] {
  return ROUTES.flatMap((route) => on(route.path, cases(route)))
}

test('a missing body, or a body of another media type, is refused', async (t) => {
  const server = await listen(t)
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ]
  const garbage = ['', ';;', 'json', 'application/', 'application/json/x', '\xff/\xfe', 'text/json']
  await expectRefusals(
    server,
    forEachRoute(({ good }) => {
      const body = JSON.stringify(good)
      const isBodyOptional = 'refreshToken' in good
      const without: ErrorCode = isBodyOptional ? 'AUTH_MISSING_TOKEN' : 'VALIDATION_FAILED'
      // These routes accept an empty body, because the token may come in another way.
      const empty: ErrorCode = isBodyOptional ? 'AUTH_MISSING_TOKEN' : 'BAD_REQUEST'
      return [
        { name: 'no body', headers: {}, codes: [without] },
        { name: 'an empty body without a type', headers: {}, body: '', codes: [without] },
        { name: 'an empty body', body: '', codes: [empty] },
        { name: 'an empty body in chunks', body: '', chunked: true, codes: [empty] },
        { name: 'a body without a type', headers: {}, body, codes: ['UNSUPPORTED_MEDIA_TYPE'] },
        ...[...types, ...garbage].map((type): Case => {
          return {
            name: type,
            headers: { 'Content-Type': type },
            body,
            codes: ['UNSUPPORTED_MEDIA_TYPE'],
          }
        }),
      ]
    }),
  )
})

test('a body that is not JSON is refused', async (t) => {
  const server = await listen(t)
  await expectRefusals(
    server,
    forEachRoute(({ good }) => {
      const whole = JSON.stringify(good)
      const bodies: Record<string, string | Buffer> = {
        'cut off': whole.slice(0, -1),
        'cut off in a string': whole.slice(0, -5),
        'two documents': whole + whole,
        'single quotes': whole.replaceAll('"', "'"),
        'a raw NUL in a string': whole.replace('"}', '\0"}'),
        'a raw NUL after it': `${whole}\0`,
        'bytes that are not text': Buffer.from([0xff, 0xfe, 0x00, 0x80]),
        'UTF-16': Buffer.from(whole, 'utf16le'),
        brackets: '['.repeat(50_000),
      }
      return Object.entries(bodies).flatMap(([name, body]): Case[] => [
        { name, body, codes: ['BAD_REQUEST'], lives: true },
        { name: `${name}, in chunks`, body, chunked: true, codes: ['BAD_REQUEST'], lives: true },
      ])
    }),
  )
})

test('JSON that does not match the schema is refused', async (t) => {
  const server = await listen(t)
  const codes: ErrorCode[] = ['VALIDATION_FAILED']
  await expectRefusals(
    server,
    forEachRoute(({ good, optional = [] }) => {
      const values: unknown[] = [0, 1.5, true, false, null, {}, [], { length: 9 }]
      const properties = Object.entries(good).flatMap(([property, text]) => [
        ...[...values, [text], { [property]: text }, ''].map((value) => ({
          ...good,
          [property]: value,
        })),
        ...(optional.includes(property)
          ? []
          : [Object.fromEntries(Object.entries(good).filter(([name]) => name !== property))]),
      ])
      const objects = [{}, [], [good], 'text', 7, true, ...properties, { ...good, extra: 1 }]
      const bodies = objects.map((object) => JSON.stringify(object))
      const extra = (member: string) => JSON.stringify(good).replace('}', `,${member}}`)
      const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
      bodies.push(
        nested(25_000),
        extra(`"a":${nested(25_000)}`),
        extra('"":0'),
        extra('"toString":0'),
      )
      bodies.push(extra(`"${'x'.repeat(50_000)}":0`))
      const poison = [
        '"__proto__":{}',
        '"__proto__":1',
        '"constructor":{"prototype":{}}',
        '"\\u005f_proto__":{}',
      ]
      return [
        ...bodies.map((body): Case => ({ name: body.slice(0, 120), body, codes })),
        {
          name: 'null',
          body: 'null',
          codes: 'refreshToken' in good ? ['AUTH_MISSING_TOKEN'] : codes,
        },
        ...poison.map(
          (member): Case => ({ name: member, body: extra(member), codes: ['BAD_REQUEST'] }),
        ),
        { name: 'constructor', body: extra('"constructor":1'), codes: ['BAD_REQUEST', ...codes] },
      ]
    }),
  )
})

test('text that is not well-formed, or too long, is refused', async (t) => {
  const server = await listen(t)
  await expectRefusals(
    server,
    forEachRoute(({ good, uselessText }) =>
      Object.entries(good).flatMap(([property, text]) => {
        const whole = JSON.stringify(good)
        const at = whole.indexOf(text) + text.length
        const insert = (bytes: string | Buffer) =>
          Buffer.concat([
            Buffer.from(whole.slice(0, at)),
            Buffer.from(bytes),
            Buffer.from(whole.slice(at)),
          ])
        const odd: Record<string, Buffer> = {
          'an escaped NUL': insert('\\u0000'),
          'half a surrogate pair': insert('\\ud800'),
          'the other half of a surrogate pair': insert('\\udc00'),
          'both halves in the wrong order': insert('\\udc00\\ud800'),
          'a byte of Latin-1': insert(Buffer.from([0xe9])),
          'a character cut off': insert(Buffer.from([0xf0, 0x9f, 0x98])),
          'an overlong slash': insert(Buffer.from([0xc0, 0xaf])),
          'a surrogate in UTF-8': insert(Buffer.from([0xed, 0xa0, 0x80])),
        }
        return [
          ...Object.entries(odd).flatMap(([name, body]): Case[] => [
            { name: `${property} with ${name}`, body, codes: [uselessText] },
            {
              name: `${property} with ${name}, in chunks`,
              body,
              chunked: true,
              codes: [uselessText],
            },
          ]),
          ...[5_000, 60_000].map((length): Case => {
            return {
              name: `${property} too long`,
              body: insert('x'.repeat(length)),
              codes: ['VALIDATION_FAILED'],
            }
          }),
        ]
      }),
    ),
  )
})

test('a large body is read to its end, even if the route takes no body', async (t) => {
  const server = await listen(t)
  const body = JSON.stringify('x'.repeat(5_242_880))
  await expectRefusals(server, [
    {
      name: 'GET',
      bytes: request('GET', '/auth/me', JSON_TYPE, body),
      codes: ['AUTH_MISSING_TOKEN'],
    },
    {
      name: 'no route',
      bytes: request('POST', '/auth/nowhere', { 'Content-Type': 'x/y' }, body),
      codes: ['NOT_FOUND'],
    },
    {
      name: 'no method',
      bytes: chunkedRequest('PUT', '/auth/login', { 'Content-Type': 'x/y' }, body),
      codes: ['NOT_FOUND'],
    },
  ])
})

test('a body over the limit is refused, and its connection stays open', async (t) => {
  const server = await listen(t)
  await expectRefusals(
    server,
    forEachRoute(({ good }) => {
      const filled = (bytes: number) => {
        const empty = JSON.stringify({ ...good, fill: '' })
        return JSON.stringify({ ...good, fill: 'x'.repeat(bytes - empty.length) })
      }
      const bodies = [
        filled(65_537),
        filled(1_048_576),
        filled(5_242_880),
        JSON.stringify({ refreshToken: 'x'.repeat(100_000) }),
      ]
      return bodies.flatMap((body): Case[] => [
        { name: `${body.length} bytes`, body, codes: ['PAYLOAD_TOO_LARGE'], lives: true },
        {
          name: `${body.length} bytes in chunks`,
          body,
          chunked: true,
          codes: ['PAYLOAD_TOO_LARGE'],
          lives: true,
        },
        {
          name: `${body.length} bytes of another type`,
          body,
          headers: { 'Content-Type': 'text/plain' },
          codes: ['UNSUPPORTED_MEDIA_TYPE'],
          lives: true,
        },
      ])
    }),
  )
})
