export { createClient } from './client.ts'
export { PawlClientError } from './error.ts'
export type { Change, Client, ClientOptions, Credentials, Reason, TokenStorage } from './types.ts'
