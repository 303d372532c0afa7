import { SECTIONS, type Variables } from '../../src/config/environment.ts'
import type { Variable } from '../../src/config/variable.ts'

const INTRODUCTION = `
# Configuration

Pawl is configured by environment variables only. If a variable is missing or not valid, Pawl does
not start and prints one message that lists every problem, without the values.

- An empty variable counts as not set.
- A duration is a whole number and a unit: \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`. The longest is ten
  years.
- No secret has a default. \`pawl secrets\` prints new ones as lines for an \`.env\` file. The
  embedded default creates its own and keeps them in \`PAWL_DATA_DIR\`.
- In a Fastify application, \`loadConfig(process.env)\` returns one flat object. Its keys are the
  names below in camel case, except \`dataDir\` and \`webhookSecrets\`, and durations are in
  milliseconds.
- Give all nodes the same values, apart from \`HOST\`, \`PORT\`, \`TRUST_PROXY\` and \`LOG_LEVEL\`.
`

/** Returns `docs/configuration.md`, made from the definitions of the variables. */
export function renderConfiguration(): string {
  const sections = Object.entries<Variables>(SECTIONS).map(
    ([title, variables]) => `## ${title}\n\n${tableOf(Object.values(variables))}`,
  )
  return [INTRODUCTION.trim(), ...sections].join('\n\n')
}

function tableOf(variables: readonly Variable<unknown>[]): string {
  const rows = variables.map((variable) => {
    const cells = [
      `\`${variable.name}\``,
      defaultOf(variable),
      variable.format,
      meaningOf(variable),
    ]
    return `| ${cells.join(' | ')} |`
  })
  return ['| variable | default | value | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

function defaultOf({ computedDefault, default: text }: Variable<unknown>): string {
  return computedDefault ?? (text ? `\`${text}\`` : 'none')
}

function meaningOf({ description, requiredWith }: Variable<unknown>): string {
  return requiredWith ? `${description} **Required if \`${requiredWith}\` is set.**` : description
}
