import type { Client, ClientOptions } from './types.ts'

export { PawlClientError } from './error.ts'
export type { Change, Client, ClientOptions, Credentials, Reason, TokenStorage } from './types.ts'

export declare function createClient(options: ClientOptions): Client
