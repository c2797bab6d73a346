import type { TSchema } from '@sinclair/typebox'
import { frameErrors, type FrameError } from '../errors.ts'
import { ownKeywords } from '../schemas/common.ts'
import { ErrorFrame, PROTOCOL_VERSION, SUBPROTOCOL } from '../schemas/protocol.ts'
import { exampleOf } from './examples.ts'
import { errorsOf, noticeFrames, replyFrame, requestFrame } from './frames.ts'
import { commands, table } from './table.ts'

/** Plain data of a JSON document. */
export type Json = Record<string, unknown>

export interface Message { name: string, title: string, summary?: string, payload: Json, examples: Array<{ payload: unknown }> }
export interface Operation {
  action: 'send' | 'receive'
  title: string
  summary: string
  channel: Reference
  tags: Array<{ name: string }>
  security?: Reference[]
  messages: Reference[]
  reply?: { channel: Reference, messages: Reference[] }
  /** The codes of the errors that may answer the request. */
  'x-errors'?: FrameError[]
}
interface Reference { $ref: string }

export interface AsyncApi extends Json {
  channels: { websocket: Json & { messages: Record<string, Reference> } }
  operations: Record<string, Operation>
  components: { messages: Record<string, Message>, schemas: Record<string, Json>, securitySchemes: Json }
}

const channel: Reference = { $ref: '#/channels/websocket' }

/** Makes the AsyncAPI document of `/websocket`: each request with its replies, and each frame that the server sends unasked. */
export function asyncApi (): AsyncApi {
  const schemas: Record<string, Json> = {}
  const messages: Record<string, Message> = {}
  const operations: Record<string, Operation> = {}
  const convert = (schema: TSchema): Json => toJson(schema, schemas)

  function add (key: string, name: string, schema: TSchema, summary?: string): Reference {
    const { description, ...payload } = convert(schema)
    const about = summary ?? description as string | undefined
    messages[key] = {
      name, title: name, ...about !== undefined && { summary: about }, payload, examples: [{ payload: exampleOf(schema) }]
    }
    return { $ref: `${channel.$ref}/messages/${key}` }
  }

  const error = add('error', 'error', ErrorFrame, 'The request was refused, or could not be read [P8] [P9].')
  for (const [name, row] of Object.entries(table)) {
    const request = add(`request_${name}`, name, requestFrame(name, row), row.about)
    const { reply } = row
    const answer = add(`reply_${name}`, 'action' in reply ? `success ${reply.action}` : reply.type, replyFrame(row))
    operations[name] = {
      action: 'receive',
      title: name,
      summary: row.about,
      channel,
      tags: [{ name: name in commands ? 'commands' : 'requests' }],
      ...row.who !== 'anyone' && { security: [{ $ref: '#/components/securitySchemes/token' }] },
      messages: [request],
      reply: { channel, messages: [answer, error] },
      'x-errors': errorsOf(row)
    }
  }
  for (const [type, schema] of Object.entries(noticeFrames)) {
    operations[`notice_${type}`] = {
      action: 'send',
      title: type,
      summary: schema.description!,
      channel,
      tags: [{ name: 'notices' }],
      messages: [add(`notice_${type}`, type, schema)]
    }
  }

  return {
    asyncapi: '3.0.0',
    id: 'urn:parley:websocket',
    info,
    defaultContentType: 'application/json',
    servers: {
      parley: {
        host: '{host}',
        protocol: 'wss',
        description: 'Any Parley server; without TLS in front of it, the protocol is `ws`',
        variables: { host: { default: 'localhost:8080', description: 'The host, with its port where that is not the usual one' } }
      }
    },
    channels: {
      websocket: {
        address: '/websocket',
        title: 'WebSocket',
        description: 'One connection carries all requests and all channels of a user. `welcome` is its first frame [P6].',
        messages: Object.fromEntries(Object.keys(messages).map(key => [key, { $ref: `#/components/messages/${key}` }])),
        bindings: {
          ws: {
            method: 'GET',
            headers: {
              type: 'object',
              properties: {
                'Sec-WebSocket-Protocol': { type: 'string', const: SUBPROTOCOL, description: 'The subprotocol, if one is offered [P2]' }
              }
            },
            bindingVersion: '0.1.0'
          }
        }
      }
    },
    operations,
    components: {
      messages,
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token, in the frame `authenticate` [P10]' }
      }
    }
  }
}

const errorLines = Object.entries(frameErrors).map(([code, { message, ...kind }]) =>
  `- \`${code}\`: ${message}${'again' in kind ? ' (the same frame may succeed later)' : ''}`)

const info: Json = {
  title: 'Parley',
  version: String(PROTOCOL_VERSION),
  description: 'The frames of `/websocket`: JSON objects, one in each text frame. Each request gets one reply, in the order of the ' +
    'requests [P7] [P8]; a `ref` comes back on it. Clients ignore frames and fields that they do not know. Numbers such as [P8] ' +
    `are the rules of docs/protocol.md.\n\nErrors have a \`code\` and a \`message\`:\n\n${errorLines.join('\n')}`,
  license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
  tags: [
    { name: 'requests', description: 'Frames that a `type` identifies' },
    { name: 'commands', description: 'Frames with a `command`' },
    { name: 'notices', description: 'Frames that the server sends unasked' }
  ]
}

/** Converts a schema to JSON Schema. A schema that has an `$id` becomes a reference to its copy in `schemas`. */
function toJson (schema: TSchema, schemas: Record<string, Json>): Json {
  const { $id: id, ...rest } = schema
  if (id === undefined) return plain(rest, schemas) as Json
  schemas[id] ??= plain(rest, schemas) as Json
  return { $ref: `#/components/schemas/${id}` }
}

function plain (value: unknown, schemas: Record<string, Json>): unknown {
  if (Array.isArray(value)) return value.map(item => plain(item, schemas))
  if (typeof value !== 'object' || value === null) return value
  if ('$id' in value) return toJson(value as TSchema, schemas)
  const given = value as Json
  const words = typeof given.pattern === 'string' ? /^\^\(([\w|]+)\)\$$/.exec(given.pattern)?.[1]?.split('|') : undefined
  if (words) return { type: 'string', enum: words }
  // The formats of this server's own are described in words.
  const kept = Object.entries(given).filter(([key, item]) => !ownKeywords.includes(key) && !(key === 'format' && typeof item === 'string'))
  return { ...Object.fromEntries(kept.map(([key, item]) => [key, plain(item, schemas)])), ...alternatives(given.properties) }
}

/** Makes a schema that requires one of two fields, such as `user_id` or `handle`, where the validation does. */
function alternatives (properties: unknown): Json {
  const fields = Object.entries((properties ?? {}) as Record<string, TSchema>)
  const found = fields.find(([, field]) => typeof field.unless === 'string')
  return found ? { anyOf: [{ required: [found[0]] }, { required: [found[1].unless as string] }] } : {}
}
