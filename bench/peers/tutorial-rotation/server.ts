import 'reflect-metadata'
import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Module,
  Post,
  Req,
  UseGuards,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { announce, host, port } from '../common/environment.js'
import { asks, bearer, mapInBatches } from '../common/seed.js'
import { openUsers } from '../common/users.js'
import { type AuthenticatedRequest, AuthGuard } from './auth.guard.ts'
import { AuthService, USERS, type Users } from './auth.service.ts'

@Controller()
class AuthController {
  @Inject(AuthService) private readonly auth!: AuthService
  @Inject(USERS) private readonly users!: Users

  @Post('login')
  @HttpCode(200)
  login(@Body() body: { email: string; password: string }) {
    return this.auth.login(String(body.email), String(body.password))
  }

  @Post('refresh')
  @HttpCode(200)
  refresh(@Body() body: { refreshToken: string }) {
    return this.auth.refresh(String(body.refreshToken))
  }

  @Post('logout')
  @HttpCode(204)
  @UseGuards(AuthGuard)
  logout(@Req() request: AuthenticatedRequest) {
    return this.auth.logout(request.user.sub)
  }

  @Get('me')
  @UseGuards(AuthGuard)
  me(@Req() request: AuthenticatedRequest) {
    return { id: request.user.sub, roles: request.user.roles }
  }

  @Post('bench/seed')
  async seed(@Body() body: { count: number }) {
    return mapInBatches(await this.users.add(body.count), async (id: string) => {
      const pair = await this.auth.issue({ id, roles: ['user'] })
      return {
        authenticate: asks(bearer(pair.accessToken)),
        refresh: {
          method: 'POST',
          path: '/refresh',
          headers: { 'content-type': 'application/json' },
          body: '{"refreshToken":"{token}"}',
          token: pair.refreshToken,
          field: 'refreshToken',
        },
      }
    })
  }
}

@Module({
  controllers: [AuthController],
  providers: [{ provide: USERS, useFactory: openUsers }, AuthService, AuthGuard],
})
class AppModule {}

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
  logger: ['error', 'warn', 'fatal'],
})
await app.listen({ host, port })
announce(app.getHttpServer())
