import { Type } from '@sinclair/typebox'

/** RFC 7517 5. */
export const Jwks = Type.Object(
  { keys: Type.Array(Type.Record(Type.String(), Type.String())) },
  { title: 'Jwks', description: 'The key set' },
)

export const NotModified = Type.Unsafe<undefined>({
  type: 'null',
  description: 'The key set still has the ETag that the request named',
})
