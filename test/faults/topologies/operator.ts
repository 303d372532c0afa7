import { Redis } from 'ioredis'
import type { Service } from '../../support/services/service.ts'

/** Sends commands to Redis servers, independently of the processes under test. */
export interface Operator {
  on(service: Service, ...command: [string, ...(string | number)[]]): Promise<unknown>
  /** Returns whether a replica has all data of its master. */
  isSynchronised(replica: Service): Promise<boolean>
  leave(): void
}

export function createOperator(services: readonly Service[], password?: string): Operator {
  const clients = new Map(services.map((service) => [service, connect(service, password)]))
  const on: Operator['on'] = async (service, ...command) => clients.get(service)?.call(...command)
  return {
    on,
    isSynchronised: async (replica) =>
      String(await on(replica, 'INFO', 'replication')).includes('master_link_status:up'),
    leave() {
      for (const client of clients.values()) client.disconnect()
    },
  }
}

function connect({ url }: Service, password?: string): Redis {
  const options = {
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    commandTimeout: 5_000,
    ...(password !== undefined && { password, tls: { rejectUnauthorized: false } }),
  }
  const redis = new Redis(url, { ...options, retryStrategy: () => 50 })
  redis.on('error', () => {})
  return redis
}
