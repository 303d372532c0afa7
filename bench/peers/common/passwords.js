import argon2 from 'argon2'

/** The argon2id parameters that OWASP recommends and Pawl uses. */
const options = { type: argon2.argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export const PASSWORD = 'turn one notch at a time'

export const hashPassword = (password) => argon2.hash(password, options)
export const verifyPassword = (hash, password) => argon2.verify(hash, password)
