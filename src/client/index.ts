export { createClient } from './client.ts'
export { PawlClientError } from './error.ts'
export type { TokenStorage } from './platform.ts'
export type { Change, Client, ClientOptions, Credentials, Passwords, Reason } from './types.ts'
