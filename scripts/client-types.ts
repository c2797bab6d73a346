import { Kind, Type, type TSchema } from '@sinclair/typebox'
import { compile } from 'json-schema-to-typescript'
import { errorTable } from '../src/errors.ts'
import { requests, table } from '../src/requests/table.ts'
import * as admin from '../src/schemas/admin.ts'
import * as auth from '../src/schemas/auth.ts'
import * as channel from '../src/schemas/channel.ts'
import { ownKeywords } from '../src/schemas/common.ts'
import * as codes from '../src/schemas/invitation-code.ts'
import * as login from '../src/schemas/login.ts'
import * as message from '../src/schemas/message.ts'
import * as moderation from '../src/schemas/moderation.ts'
import * as protocol from '../src/schemas/protocol.ts'
import * as signal from '../src/schemas/signal.ts'
import * as user from '../src/schemas/user.ts'

/** A JSON schema as plain data. */
type Json = Record<string, unknown>

/** The parts of the OpenAPI document that the types of REST calls are made of. */
export interface OpenApi { paths?: object }

interface Operation {
  parameters?: Array<{ name: string, in: string, required?: boolean, schema: Json }>
  requestBody?: { content: Record<string, { schema: Json }> }
  responses: Record<string, { content?: Record<string, { schema: Json }> }>
}

const banner = '// Made by `npm run generate` from src/schemas, src/requests and src/errors.ts. Do not edit.\n'
const style = { semi: false, singleQuote: true, printWidth: 140, trailingComma: 'none', arrowParens: 'avoid' } as const

/** A comment of json-schema-to-typescript that says nothing. */
const REFERENCED = /\/\*\*\n \* This interface was referenced[^/]*\*\/\n/g

/** Keywords that TypeScript cannot express. */
const untyped = new Set([
  ...ownKeywords, 'pattern', 'format', 'default', 'examples', 'minimum', 'maximum', 'minLength', 'maxLength', 'maxItems', 'minProperties',
  'additionalProperties'
])

/** Makes the sources of `client/src/generated`, by file name, from the table of requests and the OpenAPI document of the application. */
export async function clientTypes (document: OpenApi): Promise<Record<string, string>> {
  const names = namesOfSchemas()
  const definitions = Object.fromEntries([...names].map(([text, name]) => [name, withNames(JSON.parse(text), names, name)]))
  const tables = { Requests: requestTypes(), Notices: object(noticeTypes()), Routes: routeTypes(document) }
  const roots = Object.fromEntries(Object.entries(tables).map(([name, schema]) => [name, withNames(plain(schema), names)]))
  const types = await compile({
    title: 'Wire',
    ...object({ ...roots, ErrorCode: { $ref: '#/$defs/ErrorCode' } }),
    $defs: { ...definitions, ErrorCode: { enum: Object.keys(errorTable) } }
  }, 'Wire', { bannerComment: banner, additionalProperties: false, style, unreachableDefinitions: true })
  return { 'wire.ts': types.replace(REFERENCED, ''), 'names.ts': constants() }
}

/** Makes the constants that the client needs at run time. */
function constants (): string {
  const again = Object.entries(errorTable).filter(([, kind]) => 'again' in kind).map(([code]) => code)
  return `${banner}
/** The version of the protocol that this client speaks. */
export const PROTOCOL_VERSION = ${protocol.PROTOCOL_VERSION}
/** The WebSocket subprotocol that this client offers. */
export const SUBPROTOCOL = '${protocol.SUBPROTOCOL}'
/** The requests that are named by a frame's \`type\`. All others are commands. */
export const requestTypes: readonly string[] = [${quoted(Object.keys(requests))}]
/** Codes of errors after which the same request may succeed. */
export const againCodes: readonly string[] = [${quoted(again)}]
`
}

function quoted (words: string[]): string {
  return words.map(word => `'${word}'`).join(', ')
}

/** Returns the names of the schemas of objects in src/schemas, by the texts of the schemas. The first of equal ones gives the name. */
function namesOfSchemas (): Map<string, string> {
  const names = new Map<string, string>()
  const rooms = [user, auth, channel, message, signal, moderation, login, admin, codes, protocol]
  for (const [name, schema] of rooms.flatMap(room => Object.entries<unknown>({ ...room }))) {
    // Parameters of paths and queries are written out: many have the same fields by chance.
    if (!isSchema(schema) || !(schema.type === 'object' || name === 'Entry') || /(Params|Query)$/.test(name)) continue
    const text = JSON.stringify(plain(schema))
    if (!names.has(text)) names.set(text, name)
  }
  return names
}

function isSchema (value: unknown): value is TSchema {
  return typeof value === 'object' && value !== null && Kind in value
}

function requestTypes (): Json {
  return object(Object.fromEntries(Object.entries(table).map(([name, { fields, reply }]) => {
    const { type, ...given } = fields
    return [name, object({ fields: Type.Object(given), reply: 'data' in reply ? reply.data : reply.fields })]
  })))
}

function noticeTypes (): Record<string, unknown> {
  const notices = Object.values(table).flatMap(({ notices = {} }) => Object.entries(notices))
  return Object.fromEntries([...notices, ...Object.entries(protocol.notices)])
}

function routeTypes ({ paths = {} }: OpenApi): Json {
  return object(Object.fromEntries(Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]) =>
      [`${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`, routeType(operation)]))))
}

function routeType ({ parameters = [], requestBody, responses }: Operation): Json {
  const within = (place: string) => parameters.filter(parameter => parameter.in === place)
  const fields = (place: string): Json => ({
    type: 'object',
    properties: Object.fromEntries(within(place).map(({ name, schema }) => [name, schema])),
    required: within(place).filter(({ required }) => required).map(({ name }) => name)
  })
  const { content = {} } = Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1] ?? {}
  const answer = (content['application/json'] ?? content['application/x-ndjson'])?.schema
  return object({
    params: fields('path'),
    query: fields('query'),
    body: requestBody?.content['application/json']?.schema ?? { tsType: 'undefined' },
    answer: answer ?? { tsType: 'null' }
  })
}

function object (properties: Record<string, unknown>): Json {
  return { type: 'object', properties, required: Object.keys(properties) }
}

/** Copies a schema, with only what makes a type. A pattern of a few words becomes an enumeration, and what may be anything `unknown`. */
function plain (schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain)
  if (typeof schema !== 'object' || schema === null) return schema
  const { pattern, type, properties, description, const: literal, ...rest } = schema as Json
  const words = typeof pattern === 'string' ? /^\^\(([\w|]+)\)\$$/.exec(pattern)?.[1]?.split('|') : undefined
  if (words) return { enum: words }
  // The OpenAPI document has enumerations for literals.
  if (literal !== undefined) return { type, enum: [literal] }
  const copied = Object.entries(rest).filter(([key]) => !untyped.has(key)).map(([key, value]) => [key, plain(value)])
  const isAnything = type === undefined && copied.length === 0
  return {
    ...type !== undefined && { type },
    ...isAnything && { tsType: 'unknown' },
    ...properties !== undefined && {
      properties: Object.fromEntries(Object.entries(properties as Json).map(([name, field]) => [name, plain(field)]))
    },
    ...Object.fromEntries(copied)
  }
}

/** Replaces schemas that have a name by references. `own`: the name of the schema itself. */
function withNames (schema: unknown, names: Map<string, string>, own?: string): unknown {
  if (Array.isArray(schema)) return schema.map(item => withNames(item, names))
  if (typeof schema !== 'object' || schema === null) return schema
  const name = names.get(JSON.stringify(schema))
  if (name !== undefined && name !== own) return { $ref: `#/$defs/${name}` }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withNames(value, names)]))
}
