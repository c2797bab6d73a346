import { existsSync, readFileSync } from 'node:fs'
import type { TObject, TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { parse } from 'yaml'
import { checkTogether } from './config-checks.ts'
import { ConfigError } from './config-error.ts'
import { ConfigSchema, type Config } from './config-schema.ts'
import { findWarnings, isServiceLink, type EnvironmentWarning } from './env-names.ts'

/** One effective value and its source, for `npm run config`. */
export interface ConfigEntry { key: string, value: unknown, source: string, secret: boolean }

const DEFAULT_FILE = 'config/websocket.tusk'

/** Variables that the server reads besides those of the keys. */
const OTHER_VARIABLES = ['PARLEY_CONFIG', 'NODE_ENV']

/**
 * Reads the defaults, then the file, then the environment; a later source overrides an earlier one. Logs nothing: the caller shows the
 * warnings about variables without effect.
 * @throws ConfigError for an unreadable file, an unknown key in it, a value of the wrong type or range, and what `checkTogether` finds.
 */
export function loadConfig (env: NodeJS.ProcessEnv = process.env): {
  config: Config, entries: ConfigEntry[], warnings: EnvironmentWarning[]
} {
  const file = env.PARLEY_CONFIG || DEFAULT_FILE
  const fromFile = env.PARLEY_CONFIG || existsSync(file) ? readFile(file) : {}
  const entries: ConfigEntry[] = []
  const variables = [...OTHER_VARIABLES]
  const config: Record<string, Record<string, unknown>> = {}
  /** For each key that has a value, the place that errors name. */
  const places: Record<string, string> = {}

  for (const [section, { properties }] of Object.entries(ConfigSchema.properties) as Array<[string, TObject]>) {
    config[section] = {}
    for (const [name, schema] of Object.entries(properties)) {
      const key = `${section}.${name}`
      const candidates: string[] = [...schema.env ?? [], key.toUpperCase().replace('.', '_')]
      variables.push(...candidates)
      const variable = candidates.find(candidate => env[candidate] && !isServiceLink(candidate, env[candidate]))
      const [value, source] = variable
        ? [parseText(schema, env[variable]!), variable]
        : key in fromFile ? [fromFile[key], file] : [schema.default, 'default']
      if (value === undefined) { entries.push({ key, value: null, source, secret: false }); continue }
      const place = source === 'default' ? key : source === file ? `${file}: ${key}` : source
      // Compiling the schemas of all keys would take most of the time. A test checks the defaults instead.
      if (value !== schema.default) check(schema, value, place)
      places[key] = place
      config[section][name] = value
      entries.push({ key, value, source, secret: schema.secret === true })
    }
  }
  checkTogether(config as Config, key => places[key])
  return { config: config as Config, entries, warnings: findWarnings(env, variables) }
}

/** Reads the file as flat `section.key` pairs. Its top level is `websocket:`, as in the default file, or the sections themselves. */
function readFile (file: string): Record<string, unknown> {
  let document: unknown
  try {
    document = parse(readFileSync(file, 'utf8')) ?? {}
  } catch (error) {
    throw new ConfigError(`${file}: cannot be read: ${(error as Error).message.split('\n')[0]}`)
  }
  const top = asBlock(document, file)
  const { websocket, ...beside } = top
  if ('websocket' in top && Object.keys(beside).length > 0) {
    throw new ConfigError(`${file}: unknown key ${Object.keys(beside)[0]} beside websocket; all sections belong under it`)
  }
  const sections = 'websocket' in top ? asBlock(websocket ?? {}, `${file}: websocket`) : top
  const flat: Record<string, unknown> = {}
  for (const [section, block] of Object.entries(sections)) {
    if (!Object.hasOwn(ConfigSchema.properties, section)) {
      throw new ConfigError(`${file}: unknown section ${section}; known are ${Object.keys(ConfigSchema.properties).join(', ')}`)
    }
    const known = (ConfigSchema.properties as Record<string, TObject>)[section]!
    for (const [name, value] of Object.entries(asBlock(block ?? {}, `${file}: ${section}`))) {
      if (!Object.hasOwn(known.properties, name)) {
        throw new ConfigError(`${file}: unknown key ${section}.${name}; known are ${Object.keys(known.properties).join(', ')}`)
      }
      // YAML reads `true` as a boolean, also where the key expects text, as in `trust_proxy: true`.
      const isWord = typeof value === 'boolean' && known.properties[name]!.type === 'string'
      if (value !== null) flat[`${section}.${name}`] = isWord ? String(value) : value
    }
  }
  return flat
}

function asBlock (value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new ConfigError(`${where}: must be a block of keys`)
}

/** Turns the text of an environment variable into the number or boolean that the schema expects. `check` refuses any other text. */
function parseText (schema: TSchema, value: string): unknown {
  if (schema.type === 'integer' && /^-?\d+$/.test(value)) return Number(value)
  if (schema.type === 'boolean' && /^(true|false)$/.test(value)) return value === 'true'
  return value
}

function check (schema: TSchema, value: unknown, where: string): void {
  if (TypeCompiler.Compile(schema).Check(value)) return
  const shown = schema.secret ? '' : `, not ${JSON.stringify(value)}`
  throw new ConfigError(`${where} must be ${allowed(schema)}${shown}`)
}

function allowed (schema: TSchema): string {
  const unit = schema.description ? ` (${schema.description})` : ''
  if (schema.type === 'integer') return `an integer from ${schema.minimum} to ${schema.maximum}${unit}`
  if (schema.type === 'boolean') return 'true or false'
  if (schema.description) return schema.description
  if (schema.pattern) return `text that matches ${schema.pattern}`
  return `text of at least ${schema.minLength ?? 0} characters`
}
