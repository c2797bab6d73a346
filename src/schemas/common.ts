import { FormatRegistry, Type, type SchemaOptions, type Static, type TSchema, type TString } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { AppError, type ErrorCode } from '../errors.ts'

/** No NUL, which PostgreSQL's text refuses, and no lone surrogate, which UTF-8 cannot hold. */
FormatRegistry.Set('text', value => !value.includes('\0') && value.isWellFormed())

declare module '@sinclair/typebox' {
  interface SchemaOptions {
    /** Code of a field that is missing, null or blank [P9]. */
    whenMissing?: ErrorCode
    /** Code of a field of the right JSON type whose value is not allowed. */
    whenInvalid?: ErrorCode
  }
}

/** A string that may be stored. Lengths are UTF-16 units. */
export function Text (options: SchemaOptions & { minLength?: number, maxLength?: number } = {}): TString {
  return Type.String({ format: 'text', ...options })
}

const uuidPattern = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'

/** Taken in either case; `compile` gives it in small letters, as the database does: whoever compares ids need not mind. */
export const Uuid = Type.String({ pattern: uuidPattern })
export const UserId = Type.String({ pattern: uuidPattern, whenMissing: 'user_required', whenInvalid: 'user_not_found' })
export const MessageId = Type.String({ pattern: uuidPattern, whenInvalid: 'message_not_found' })
export const Timestamp = Type.String({ description: 'ISO 8601, UTC, milliseconds' })
export const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

/** [P17] */
export const ChannelName = Type.String({
  pattern: '^[a-z0-9][a-z0-9_-]{0,63}$', whenMissing: 'channel_required', whenInvalid: 'invalid_channel_name', examples: ['general']
})

export const ChannelType = Choice(['public', 'private', 'admin', 'moderator'], { whenInvalid: 'invalid_channel_type' })
export type ChannelType = Static<typeof ChannelType>

export const Role = Choice(['user', 'moderator', 'admin'])
export type Role = Static<typeof Role>

/** One of a few words. A pattern, so that a wrong word and a wrong JSON type are different errors [P9]. */
function Choice<const T extends string> (words: T[], options: SchemaOptions = {}) {
  return Type.Unsafe<T>(Type.String({ pattern: `^(${words.join('|')})$`, description: words.join(' | '), ...options }))
}

/** A page's size and place. `cursor` is what the page before gave as `next_cursor`. */
export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 })),
  cursor: Type.Optional(Text({ minLength: 1, maxLength: 256 }))
})
export type PageQuery = Static<typeof PageQuery>

export const NextCursor = Type.Union([Type.String(), Type.Null()])

export const ErrorReply = Type.Object({
  statusCode: Type.Integer(), error: Type.String(), code: Type.String(), message: Type.String(),
  retry_after_ms: Type.Optional(Type.Integer())
})

/** A route's possible answers, for its schema. */
export function answers<S extends number, T extends TSchema> (status: S, body: T) {
  return { [status]: body, '4xx': ErrorReply } as { [K in S]: T } & { '4xx': typeof ErrorReply }
}

/** Returns a value that `schema` describes, or throws the AppError that says why it is not one. */
export type Check<S extends TSchema> = (value: unknown) => Static<S>

/**
 * Compiles `schema` once, for either transport. `fallback` is the code of a fault that no field names as its own.
 * Missing, null and blank come before any other fault [P9]. Ids come back in small letters.
 */
export function compile<S extends TSchema> (schema: S, fallback: 'invalid_frame' | 'invalid_request'): Check<S> {
  const compiled = TypeCompiler.Compile(schema)
  const required = Object.entries((schema.properties ?? {}) as Record<string, TSchema>)
    .flatMap(([name, field]) => field.whenMissing ? [{ name, code: field.whenMissing as ErrorCode }] : [])
  const ids = Object.entries((schema.properties ?? {}) as Record<string, TSchema>)
    .flatMap(([name, field]) => field.pattern === uuidPattern ? [name] : [])

  return value => {
    if (value === undefined || isObject(value)) {
      for (const { name, code } of required) if (isBlank(value?.[name])) throw new AppError(code)
    }
    if (compiled.Check(value)) return withSmallIds(value, ids)
    const fault = compiled.Errors(value).First()!
    if (typeof fault.value === 'string' && fault.schema.whenInvalid) throw new AppError(fault.schema.whenInvalid as ErrorCode)
    throw new AppError(fallback, { detail: reason(fault.path, fault.message) })
  }
}

function withSmallIds<T> (value: T, ids: string[]): T {
  const fields = value as Record<string, string | undefined>
  const capital = ids.filter(name => fields[name] !== fields[name]?.toLowerCase())
  if (capital.length === 0) return value
  return { ...value, ...Object.fromEntries(capital.map(name => [name, fields[name]!.toLowerCase()])) }
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isBlank (value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && !/\S/.test(value))
}

function reason (path: string, message: string): string {
  const field = path.slice(1).replaceAll('/', '.')
  return field ? `${field}: ${message.toLowerCase()}` : message.toLowerCase()
}
