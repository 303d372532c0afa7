import { readFileSync } from 'node:fs'
import type { Env } from '../environment.ts'

export interface Instruction {
  name: string
  /** The text after the instruction's name, without its flags. */
  text: string
  flags: Env
}

export interface Stage {
  name: string | undefined
  base: string
  instructions: Instruction[]
}

export function readDockerfile(): Stage[] {
  const text = readFileSync(new URL('../../../Dockerfile', import.meta.url), 'utf8')
  const stages: Stage[] = []
  for (const line of text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')) {
    const [, name, rest = ''] = /^([A-Z]+)\s+(.+)$/.exec(line) ?? []
    if (!name) continue
    const instruction = parseInstruction(name, rest)
    const [base = '', , alias] = instruction.text.split(/\s+/)
    if (name === 'FROM') stages.push({ name: alias, base, instructions: [] })
    else stages.at(-1)?.instructions.push(instruction)
  }
  return stages
}

function parseInstruction(name: string, rest: string): Instruction {
  const flags: Env = {}
  const text = rest.replace(/^(?:--[\w-]+=\S+\s+)+/, (given) => {
    for (const [, flag = '', value = ''] of given.matchAll(/--([\w-]+)=(\S+)/g)) flags[flag] = value
    return ''
  })
  return { name, text: text.trim(), flags }
}

export function all(stage: Stage | undefined, name: string): Instruction[] {
  return stage?.instructions.filter((instruction) => instruction.name === name) ?? []
}

/** Returns the variables that the ENV instructions of a stage set, in the form NAME=value. */
export function variables(stage: Stage | undefined): Env {
  const pairs = all(stage, 'ENV').flatMap(({ text }) => text.split(/\s+/))
  return Object.fromEntries(pairs.map((pair) => pair.split('=', 2)))
}

/** Returns the sources and the target of a COPY instruction. */
export function operands(copy: Instruction): { sources: string[]; target: string } {
  const paths = copy.text.split(/\s+/)
  return { sources: paths.slice(0, -1), target: paths.at(-1) ?? '' }
}

/** Returns the command of a CMD or HEALTHCHECK CMD instruction. Throws if a shell would run it. */
export function execForm(instruction: Instruction | undefined): string[] {
  return JSON.parse(instruction?.text.replace(/^CMD\s+/, '') ?? '')
}

/**
 * Returns whether .dockerignore excludes a path from the build. Supports only names, `*` and a
 * leading `**` folder.
 */
export function isIgnored(path: string): boolean {
  return ignorePatterns().some((pattern) => {
    const source = pattern
      .replace(/[.]/g, '\\.')
      .replace(/^\*\*\//, '(?:.+/)?')
      .replace(/\*/g, '[^/]*')
    return new RegExp(`^${source}(?:/|$)`).test(path)
  })
}

export function ignorePatterns(): string[] {
  return lines('.dockerignore')
}

export function gitIgnorePatterns(): string[] {
  return lines('.gitignore')
}

function lines(file: string): string[] {
  const text = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8')
  return text.split('\n').filter((line) => line && !line.startsWith('#'))
}
