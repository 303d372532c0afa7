export { problemDetails } from '../plugins/problem-details.ts'
export { type PawlOptions, pawl } from './app.ts'
export { type Config, ConfigError, loadConfig } from './config/config.ts'
export type {
  ApplicationUser,
  DeliveredTokens,
  SessionView,
  TokenPair,
  UserView,
} from './embedding/views.ts'
export { type ErrorCode, PawlError } from './errors.ts'
export type { EventType } from './events/event.ts'
export type { EventListener, ListenedEvent } from './events/listened-event.ts'
export type { AuthorizeOptions } from './http/demands.ts'
export { authenticate, authOf, authorize } from './http/guards.ts'
export type { PawlApplication, SessionStart } from './http/pawl-application.ts'
export type { MailCallback, MailMessage, MailPurpose } from './mail/mail.ts'
export type { ClaimsCallback, ClaimsSubject } from './tokens/added-claims.ts'
export type { Auth } from './tokens/auth.ts'
