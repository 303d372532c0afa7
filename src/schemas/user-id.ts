import { Type } from '@sinclair/typebox'
import { USER_ID } from '../users/user-id.ts'
import { explained } from './explained.ts'

/** The id of a user. */
export const UserId = explained(
  'must have 1 to 128 letters, digits, and . _ : @ | -',
  Type.String({
    pattern: USER_ID,
    examples: ['auth0|5f7c8ec7c33c6c004bbafe82'],
    description:
      'What the application calls the user: 1 to 128 characters of `A-Z a-z 0-9 . _ : @ | -`. A ' +
      'UUID if Pawl made the account.',
  }),
)
