import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Env } from '../environment.ts'

export interface Service {
  image?: string
  build?: string
  command?: string[]
  restart?: string
  read_only?: boolean
  stop_grace_period?: string
  depends_on?: Record<string, { condition: string }>
  env_file?: { path: string; required: boolean }[]
  environment?: Record<string, unknown>
  healthcheck?: { test?: string[]; disable?: boolean }
  ports?: string[]
  volumes?: string[]
}

export interface Compose {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}

/** Returns the Compose file as Docker Compose reads it beside a `.env` with these variables. */
export function readCompose(dotenv: Env): Compose {
  const text = readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8')
  const fill = (_key: unknown, value: unknown) =>
    typeof value === 'string' ? interpolate(value, dotenv) : value
  return parse(text, fill, { merge: true, strict: true })
}

/**
 * Replaces variables in the forms that the file uses, the innermost first: ${NAME},
 * ${NAME:-default} and ${NAME:?message}.
 */
function interpolate(text: string, dotenv: Env): string {
  const filled = text.replace(
    /\$\{(\w+)(?::([-?])([^${}]*))?\}/g,
    (_match, name, operator, operand) => {
      if (operator === '?' && !dotenv[name])
        throw new Error(`${name} is missing a value: ${operand}`)
      return dotenv[name] || (operator === '-' ? operand : '')
    },
  )
  return filled === text ? text : interpolate(filled, dotenv)
}

/** Returns the environment variables of a service, as its process sees them. */
export function variables(service: Service | undefined): Env {
  const given = Object.entries(service?.environment ?? {})
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]))
}
