import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Static } from '@sinclair/typebox'
import type { SessionView, TokenPair } from '../../src/embedding/views.ts'
import type { RecordedEvent } from '../../src/events/event.ts'
import type { EventPage } from '../../src/schemas/events.ts'
import type { Introspection } from '../../src/schemas/oauth.ts'
import type { SessionList } from '../../src/schemas/sessions.ts'
import type * as tokens from '../../src/schemas/token-pair.ts'
import type { UserView } from '../../src/schemas/users.ts'
import type { AccessClaims } from '../../src/tokens/access-token.ts'
import type { Administration } from '../../src/users/administration.ts'

type Session = Static<typeof SessionList>['sessions'][number]
type User = Awaited<ReturnType<Administration['find']>>

/** Whether both types have the same fields, of the same types. */
type Same<A, B> = [A, B, keyof A, keyof B] extends [B, A, keyof B, keyof A] ? true : false

/**
 * A type error here means that a domain type and the schema of its response differ. A field that
 * only the domain type has would be missing from the response, because the serializer drops it.
 */
const CHECKS = {
  events: true satisfies Same<Static<typeof EventPage>['events'][number], RecordedEvent>,
  tokens: true satisfies Same<tokens.TokenPair, TokenPair>,
  users: true satisfies Same<UserView, User>,
  sessions: true satisfies Same<keyof Session, keyof SessionView | 'current'>,
  introspection: true satisfies Same<
    Exclude<keyof AccessClaims, 'ver' | 'ctx' | 'constant' | 'extra'>,
    keyof AccessClaims & keyof Introspection
  >,
}

test('the compiler compares every response schema with the domain type that it shows', () => {
  assert.ok(Object.values(CHECKS).every(Boolean))
})
