export {
  createTestAuth,
  type TestAuth,
  type TestAuthOptions,
  type TestUser,
} from './test-auth.ts'
