import { Kind, OptionalKind, type TSchema } from '@sinclair/typebox'

const ID = '01a2280f-f084-768a-8fff-256b77567be6'

/** Examples by the names of fields, for schemas that have none of their own. */
const byName: Record<string, unknown> = {
  channel: 'general', name: 'general', message: 'Hello', topic: 'All about coffee', username: 'Ann', handle: 'ann',
  email: 'ann@example.org',
  token: 'eyJhbGciOiJIUzI1NiJ9.e30.x', reason: 'spam', reaction: '👍', client_id: 'draft-1', data: { mood: 'sunny' }, event: 'typing',
  cursor: 'Z2VuZXJhbA', next_cursor: null, expires_at: '2026-01-02T04:04:05.678Z', muted_until: null, retention: 30, slow_mode: 0,
  heartbeat_interval: 30, connection_timeout: 300, max_payload: 65536, protocol: 1, limit: 50, code: 'rate_limited', history: 50
}
/** Optional fields that the examples leave out, because they exclude others or say that something is not so. */
const rare = new Set(['ref', 'handle', 'type', 'peer', 'since', 'since_id', 'channel_id', 'duplicate', 'deleted', 'edited_at', 'cursor'])

/** Makes an example of what a schema describes. */
export function exampleOf (schema: TSchema, name = ''): unknown {
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(schema.examples)) return schema.examples[0]
  switch (schema[Kind]) {
    case 'Object': return exampleOfObject(schema)
    case 'Array': return [exampleOf(schema.items as TSchema, name)]
    case 'Boolean': return true
    case 'Union': return name in byName ? byName[name] : exampleOf((schema.anyOf as TSchema[])[0]!, name)
    case 'Integer':
    case 'Number': return name in byName ? byName[name] : 42
    default: return name in byName ? byName[name] : exampleOfText(schema)
  }
}

function exampleOfObject (schema: TSchema): object {
  const fields = Object.entries(schema.properties as Record<string, TSchema>)
    .filter(([name, field]) => field[OptionalKind] === undefined || !rare.has(name))
  return Object.fromEntries(fields.map(([name, field]) => [name, exampleOf(field, name)]))
}

function exampleOfText ({ pattern = '' }: TSchema): string {
  const [, word] = /^\^\((\w+)/.exec(pattern as string) ?? []
  if (word !== undefined) return word
  if ((pattern as string).startsWith('^[0-9a-fA-F]{8}')) return ID
  if ((pattern as string).includes('T')) return '2026-01-02T03:04:05.678Z'
  return 'text'
}
