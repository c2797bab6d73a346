import type { TObject, TSchema } from '@sinclair/typebox'
import { ConfigSchema } from '../src/config-schema.ts'
import { cell, table } from './markdown.ts'

const INTRODUCTION = `# Configuration

This page is made of \`src/config-schema.ts\` by \`npm run generate\`. Do not edit it.

Parley reads its defaults, then \`config/websocket.tusk\` (YAML; \`PARLEY_CONFIG\` names another file), then the environment; a later
source overrides an earlier one. \`npm run config\` prints every value in force and where it comes from. In the file, the keys of a
section are a block under its name. Of several variables for one key, the first one that is set counts.
[operating.md](operating.md) says how to choose the values.
`

/** Remarks that hold for all keys of a section. */
const REMARKS: Record<string, string> = {
  limits: `Limits of frames, bytes, joins, commands, signals, upgrades and connections count on each instance by itself, all others on all
instances together. After a pause, ten seconds' worth of a rate a second may come at once.
`
}

/** Makes the text of docs/configuration.md: a table for each section, with a row for each key. */
export function configurationPage (): string {
  const sections = Object.entries(ConfigSchema.properties) as Array<[string, TObject]>
  return [INTRODUCTION, ...sections.map(([section, { properties }]) => {
    const rows = Object.entries(properties).map(([name, schema]) => rowOf(section, name, schema))
    const head = ['key', 'environment variable', 'type', 'allowed', 'default', 'meaning']
    return `## ${section}\n\n${section in REMARKS ? `${REMARKS[section]}\n` : ''}${table(head, rows)}`
  })].join('\n')
}

function rowOf (section: string, name: string, schema: TSchema): string[] {
  if (typeof schema.meaning !== 'string') throw new Error(`src/config-schema.ts: ${section}.${name} has no meaning`)
  const variables = [...schema.env ?? [], `${section}_${name}`.toUpperCase()]
  const value = schema.default === undefined ? 'none' : `\`${schema.default}\``
  return [`\`${section}.${name}\``, variables.map(each => `\`${each}\``).join(', '), typeOf(schema), allowed(schema), value, schema.meaning]
    .map(cell)
}

function typeOf ({ type, secret }: TSchema): string {
  return `${{ boolean: 'boolean', integer: 'integer' }[type as string] ?? 'text'}${secret ? ', secret' : ''}`
}

function allowed ({ type, minimum, maximum, minLength, description }: TSchema): string {
  if (type === 'boolean') return '`true`, `false`'
  if (type === 'integer') return `${minimum} to ${maximum}${description ? ` (${description})` : ''}`
  return description?.replaceAll('*', '\\*') ?? `at least ${minLength} character${minLength === 1 ? '' : 's'}`
}
