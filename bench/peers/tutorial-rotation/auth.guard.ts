import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  UnauthorizedException,
} from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { type AccessClaims, AuthService } from './auth.service.ts'

export type AuthenticatedRequest = FastifyRequest & { user: AccessClaims }

/** Checks only the signature and the expiry, so an access token cannot be revoked. */
@Injectable()
export class AuthGuard implements CanActivate {
  @Inject(AuthService) private readonly auth!: AuthService

  async canActivate(context: ExecutionContext) {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>()
    const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    if (!token) throw new UnauthorizedException()
    request.user = await this.auth.verify(token)
    return true
  }
}
