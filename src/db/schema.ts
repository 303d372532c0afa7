/** All tables of Pawl. */
export * from './tables/codes.ts'
export * from './tables/mails.ts'
export * from './tables/pawl-schema.ts'
export * from './tables/security-events.ts'
export * from './tables/sessions.ts'
export * from './tables/signing-keys.ts'
export * from './tables/store-state.ts'
export * from './tables/users.ts'
