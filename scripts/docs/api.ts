import { ERRORS } from '../../src/errors.ts'
import {
  type OpenapiDocument,
  type Operation,
  type Parameter,
  readOpenapi,
  type Schema,
} from './openapi.ts'

const INTRODUCTION = `
# HTTP API

- Requests and responses are JSON, with names in camel case. Only the routes under \`/oauth\` take
  forms, as OAuth demands, and use the names that OAuth gives.
- Every error is a [problem document](#errors) with a stable \`code\`. A request with an unknown
  property is refused.
- A user sends the access token as \`Authorization: Bearer <access token>\`. A client, which is
  another service, sends its id and secret as HTTP Basic.
- \`GET /openapi.json\` returns the same description as OpenAPI 3.1, unless \`OPENAPI\` is off. The
  OpenAPI document leaves out itself, \`GET /metrics\` (in the text format of Prometheus, if
  \`METRICS\` says so) and the playground at \`GET /\`.
`

const RESPONSE_HEADERS = `
## Response headers

| header | meaning |
|---|---|
| \`Cache-Control\` | \`no-store\` on every error, and on every response under \`/auth\`, \`/admin\` and \`/oauth\` |
| \`Retry-After\` | On every 429 and 503: the seconds to wait before the request is repeated |
| \`Set-Cookie\` | The refresh token, if it is delivered in the cookie |
| \`WWW-Authenticate\` | On every 401, and on a 403 for a role or permission that the user lacks |
| \`ETag\` | On the key set, for \`If-None-Match\` |
`

const GROUPS: Record<string, string> = {
  auth: 'Login and sessions',
  admin: 'Administration',
  oauth: 'OAuth',
  discovery: 'Discovery',
  health: 'Health',
}

interface Route extends Operation {
  name: string
}

/** Returns `docs/api.md`, made from the OpenAPI document. */
export async function renderApi(): Promise<string> {
  const document = await readOpenapi()
  const routes = routesOf(document)
  const groups = Object.entries(GROUPS).map(([tag, title]) =>
    renderGroup(
      title,
      routes.filter(({ tags }) => tags[0] === tag),
    ),
  )
  const { Problem, ...schemas } = document.components.schemas
  return [
    INTRODUCTION.trim(),
    '## Routes',
    ...groups,
    `## Request headers\n\n${tableOfParameters(parametersOf(routes, 'header').map(capitalize))}`,
    RESPONSE_HEADERS.trim(),
    '## Schemas',
    ...Object.entries(schemas).map(([name, schema]) => `### ${name}\n\n${tableOfFields(schema)}`),
    renderErrors(Problem ?? {}),
  ].join('\n\n')
}

function routesOf({ paths }: OpenapiDocument): Route[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      ...operation,
    })),
  )
}

function renderGroup(title: string, routes: Route[]): string {
  const rows = routes.map((route) =>
    [
      `\`${route.name}\``,
      callerOf(route),
      bodyOf(route),
      successesOf(route),
      statusesOf(route).filter(isError).join(' '),
      route.summary,
    ].join(' | '),
  )
  const table = tableOf('route | who may call it | body | success | errors | what it does', rows)
  return [`### ${title}`, table, ...routes.flatMap(renderNotes)].join('\n\n')
}

function renderNotes(route: Route): string[] {
  const query = parametersOf([route], 'query')
  const notes = route.description ? [wrap(`\`${route.name}\`: ${route.description}`)] : []
  if (query.length > 0)
    notes.push(`Query parameters of \`${route.name}\`:`, tableOfParameters(query))
  return notes
}

function callerOf({ security = [] }: Route): string {
  const [{ bearer: roles, client } = {}, alternative] = security
  if (client) return 'a client'
  if (!roles) return 'anyone'
  if (alternative) return 'anyone with a token of the session'
  return roles.length > 0 ? `a user with the role \`${roles.join('`, `')}\`` : 'a user'
}

function bodyOf({ requestBody }: Route): string {
  const [schema] = Object.values(requestBody?.content ?? {}).map((media) => media.schema)
  if (!schema) return ''
  const alternatives = (schema.anyOf ?? [schema]).map(({ $ref, type }) =>
    $ref ? linkTo($ref) : type === 'null' ? 'none' : '`{}`',
  )
  return alternatives.join(' or ')
}

function successesOf(route: Route): string {
  const successes = statusesOf(route).filter((status) => !isError(status))
  return successes
    .map((status) => {
      const [media] = Object.values(route.responses[status]?.content ?? {})
      return media?.schema.$ref ? `${status} ${linkTo(media.schema.$ref)}` : status
    })
    .join(', ')
}

const statusesOf = ({ responses }: Route) => Object.keys(responses)
const isError = (status: string) => Number(status) >= 400

/** Returns the parameters of one kind, each name once. */
function parametersOf(routes: Route[], place: Parameter['in']): Parameter[] {
  const all = routes.flatMap(({ parameters = [] }) => parameters)
  const chosen = all.filter((parameter) => parameter.in === place)
  return [...new Map(chosen.map((parameter) => [parameter.name, parameter])).values()]
}

function tableOfParameters(parameters: Parameter[]): string {
  const rows = parameters.map(
    ({ name, schema, description = '' }) =>
      `\`${name}\` | ${typeOf(schema)} | ${cellOf(description)}`,
  )
  return tableOf('name | value | meaning', rows)
}

/** Returns text without what would end the cell of a table. */
function cellOf(text = ''): string {
  return text.replaceAll('|', '\\|')
}

function tableOfFields({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? '' : '?'
    return `\`${name}${mark}\` | ${typeOf(schema)} | ${cellOf(schema.description)}`
  })
  return tableOf('field | type | meaning', rows)
}

function typeOf({ $ref, anyOf, enum: values, items, type, format }: Schema): string {
  if ($ref) return linkTo($ref)
  if (anyOf) return anyOf.map(typeOf).join(' or ')
  if (values) return values.map((value) => `\`${value}\``).join(' or ')
  if (items) return `list of ${typeOf(items)}`
  return format ?? type ?? 'any'
}

function renderErrors(problem: Schema): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, title }]) => `\`${code}\` | ${status} | ${title}`,
  )
  return [
    '## Errors',
    'An error is a problem document (RFC 9457), sent as `application/problem+json`:',
    tableOfFields(problem),
    'The codes, with the title of each. [Errors](errors.md) says when each of them occurs.',
    tableOf('code | status | title', rows),
  ].join('\n\n')
}

function tableOf(head: string, rows: string[]): string {
  const rule = head.split(' | ').map(() => '---')
  return [`| ${head} |`, `|${rule.join('|')}|`, ...rows.map((row) => `| ${row} |`)].join('\n')
}

/** Writes a header's name in its usual case. */
function capitalize(parameter: Parameter): Parameter {
  return { ...parameter, name: parameter.name.replaceAll(/\b[a-z]/g, (char) => char.toUpperCase()) }
}

/** Breaks text into lines of at most 100 characters. */
function wrap(text: string): string {
  return text.replaceAll(/(.{1,100})(?: |$)/g, '$1\n').trim()
}

/** Returns a link to the heading of a schema. */
function linkTo(reference: string): string {
  const name = reference.split('/').at(-1) ?? ''
  return `[${name}](#${name.toLowerCase()})`
}
