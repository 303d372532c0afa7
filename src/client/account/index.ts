export { createAccount } from './account.ts'
export { takeMailLink } from './mail-link.ts'
export type {
  Account,
  AccountOptions,
  MailLink,
  MailPage,
  NewAddress,
  NewPassword,
} from './types.ts'
