import { Type } from '@sinclair/typebox'

export const Healthy = Type.Object(
  { status: Type.Literal('ok') },
  { title: 'Healthy', description: 'Healthy' },
)
