import { createHash, randomUUID } from 'node:crypto'
import { Inject, Injectable, UnauthorizedException } from '@nestjs/common'
import { JwtService } from '@nestjs/jwt'
import { Redis } from 'ioredis'
import { newSecretKey, redisUrl } from '../common/environment.js'
import { verifyPassword } from '../common/passwords.js'
import type { openUsers } from '../common/users.js'

export const USERS = Symbol('users')
export type Users = Awaited<ReturnType<typeof openUsers>>

export interface AccessClaims {
  sub: string
  roles: string[]
}

const ACCESS_S = 15 * 60
const REFRESH_S = 7 * 24 * 60 * 60

const keyOf = (userId: string) => `refresh_token:${userId}`
const digest = (token: string) => createHash('sha256').update(token).digest('hex')

/** Stores the hash of one refresh token per user in Redis. A second device replaces the first. */
@Injectable()
export class AuthService {
  @Inject(USERS) private readonly users!: Users
  private readonly redis = new Redis(redisUrl, { enableAutoPipelining: true })
  private readonly access = createJwt(newSecretKey(), ACCESS_S)
  private readonly refreshing = createJwt(newSecretKey(), REFRESH_S)

  async login(email: string, password: string) {
    const user = await this.users.findByEmail(email)
    if (!user || !(await verifyPassword(user.passwordHash, password)))
      throw new UnauthorizedException()
    return this.issue(user)
  }

  async refresh(refreshToken: string) {
    const { sub } = await this.verified<{ sub: string }>(this.refreshing, refreshToken)
    const stored = await this.redis.get(keyOf(sub))
    if (stored !== digest(refreshToken)) throw new UnauthorizedException()
    await this.redis.del(keyOf(sub))
    const user = await this.users.find(sub)
    if (!user) throw new UnauthorizedException()
    return this.issue(user)
  }

  async logout(userId: string) {
    await this.redis.del(keyOf(userId))
  }

  verify(accessToken: string) {
    return this.verified<AccessClaims>(this.access, accessToken)
  }

  async issue(user: { id: string; roles: string[] }) {
    const [accessToken, refreshToken] = await Promise.all([
      this.access.signAsync({ sub: user.id, roles: user.roles, jti: randomUUID() }),
      this.refreshing.signAsync({ sub: user.id, jti: randomUUID() }),
    ])
    await this.redis.set(keyOf(user.id), digest(refreshToken), 'EX', REFRESH_S)
    return { accessToken, refreshToken }
  }

  private async verified<T extends object>(jwt: JwtService, token: string): Promise<T> {
    try {
      return await jwt.verifyAsync<T>(token)
    } catch {
      throw new UnauthorizedException()
    }
  }
}

function createJwt(secret: string, expiresIn: number) {
  return new JwtService({
    secret,
    signOptions: { algorithm: 'HS256', expiresIn },
    verifyOptions: { algorithms: ['HS256'] },
  })
}
