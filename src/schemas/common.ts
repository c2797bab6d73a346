import { FormatRegistry, Type, type SchemaOptions, type Static, type TSchema, type TString } from '@sinclair/typebox'
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler'
import { AppError, errorTable, type ErrorCode } from '../errors.ts'

/** Refuses NUL, which PostgreSQL's text cannot hold, and lone surrogates, which UTF-8 cannot encode. */
FormatRegistry.Set('text', value => !value.includes('\0') && value.isWellFormed())

declare module '@sinclair/typebox' {
  interface SchemaOptions {
    /** Error code for a field that is missing, null or blank [P9]. */
    whenMissing?: ErrorCode
    /** The name of another field: if that has a value, this field may be missing or blank. */
    unless?: string
    /** Error code for a field that has the right JSON type but a value that is not allowed. */
    whenInvalid?: ErrorCode
  }
}

/** Keywords of schemas that only the validation of this server understands. Documents leave them out. */
export const ownKeywords = ['$id', 'whenMissing', 'unless', 'whenInvalid']

/** A string that the database can store. Lengths are in UTF-16 units. */
export function Text (options: SchemaOptions & { minLength?: number, maxLength?: number } = {}): TString {
  return Type.String({ format: 'text', ...options })
}

const uuidPattern = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'

/** Accepted in either case. `compile` returns it in lower case, as the database does, so that ids can be compared as they are. */
export const Uuid = Type.String({ pattern: uuidPattern })
export const UserId = Type.String({ pattern: uuidPattern, whenMissing: 'user_required', whenInvalid: 'user_not_found' })
/** Where a handle names somebody, capitals count as small letters. */
export const handlePattern = '^[A-Za-z0-9][A-Za-z0-9_]{2,31}$'
/** The user that a path names: the id or the handle [P65]. */
export const UserKey = Type.String({
  pattern: `${uuidPattern}|${handlePattern}`,
  description: 'user id or handle',
  whenMissing: 'user_required',
  whenInvalid: 'user_not_found'
})
/** The handle of a user [P65]. */
export const Handle = Type.String({ pattern: '^[a-z0-9][a-z0-9_]{2,31}$' })
/** The handle in an answer; null for a guest and for an erased account. */
export const AnyHandle = Type.Union([Type.String(), Type.Null()])
/** The id of a channel's entry at some `seq`; null where there is no entry [P37]. */
export const EntryId = Type.Union([Uuid, Type.Null()], { description: 'id of the entry at the `seq`; null where there is none' })
export const MessageId = Type.String({ pattern: uuidPattern, whenInvalid: 'message_not_found' })
export const InvitationCodeId = Type.String({ pattern: uuidPattern, whenInvalid: 'invitation_code_not_found' })
export const ConnectionId = Type.String({ pattern: uuidPattern, whenInvalid: 'connection_not_found' })
export const LoginId = Type.String({ pattern: uuidPattern, whenInvalid: 'login_not_found' })
export const ReportId = Type.String({ pattern: uuidPattern, whenInvalid: 'report_not_found' })
export const Timestamp = Type.String({
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$', description: 'ISO 8601, UTC, milliseconds'
})
export const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'number in the channel\'s sequence' })

/** [P17] */
export const ChannelName = Type.String({
  pattern: '^[a-z0-9][a-z0-9_-]{0,63}$', whenMissing: 'channel_required', whenInvalid: 'invalid_channel_name', examples: ['general']
})

export const ChannelType = Choice(['public', 'private', 'admin', 'moderator', 'direct'], { whenInvalid: 'invalid_channel_type' })
export type ChannelType = Static<typeof ChannelType>
/** A type that a request may give to a channel. Direct channels are opened instead [P47]. */
export const GivenType = Choice(['public', 'private', 'admin', 'moderator'], { whenInvalid: 'invalid_channel_type' })

export const Role = Choice(['user', 'moderator', 'admin'])
export type Role = Static<typeof Role>

/** One of a few words. It is a pattern, so that a wrong word and a wrong JSON type give different errors [P9]. */
export function Choice<const T extends string> (words: T[], options: SchemaOptions = {}) {
  return Type.Unsafe<T>(Type.String({ pattern: `^(${words.join('|')})$`, description: words.join(' | '), ...options }))
}

/** Size and start of a page. `cursor` is the `next_cursor` of the previous page. */
export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 })),
  cursor: Type.Optional(Text({ minLength: 1, maxLength: 256, description: 'the `next_cursor` of the page before' }))
})
export type PageQuery = Static<typeof PageQuery>

export const NextCursor = Type.Union([Type.String(), Type.Null()], { description: 'null on the last page' })

export const ErrorReply = Type.Object({
  statusCode: Type.Integer(),
  error: Type.String({ description: 'the name of the HTTP status' }),
  code: Type.Unsafe<ErrorCode>(Type.String({ enum: Object.keys(errorTable) })),
  message: Type.String(),
  retry_after_ms: Type.Optional(Type.Integer({ description: 'milliseconds after which the same request may succeed' }))
}, { $id: 'ErrorReply' })
export type ErrorReply = Static<typeof ErrorReply>

/** The OpenAPI document contains the schema of errors once, and refers to it. */
const AnyError = Type.Unsafe<ErrorReply>({ $ref: 'ErrorReply#' })
/** Response schemas of all errors of a route. */
export const errorAnswers = { '4xx': AnyError, '5xx': AnyError }

/** Response schemas of a route: the success with its status, and all errors. */
export function answers<S extends number, T extends TSchema> (status: S, body: T) {
  return { [status]: body, ...errorAnswers } as { [K in S]: T } & typeof errorAnswers
}

/** Returns the value if it matches the schema; otherwise throws an AppError with the reason. */
export type Check<S extends TSchema> = (value: unknown) => Static<S>

/**
 * Returns a check of values for REST and WebSocket. It compiles `schema` when it checks its first value, because a server has over a
 * hundred schemas and needs only some of them soon. `fallback` is the code for a fault that no field has its own code for. Missing, null
 * and blank fields are reported before any other fault [P9]. Ids are returned in lower case.
 */
export function compile<S extends TSchema> (schema: S, fallback: 'invalid_frame' | 'invalid_request'): Check<S> {
  let compiled: TypeCheck<S> | undefined
  const required = Object.entries((schema.properties ?? {}) as Record<string, TSchema>)
    .flatMap(([name, field]) => field.whenMissing ? [{ name, code: field.whenMissing as ErrorCode, unless: field.unless }] : [])
  const ids = Object.entries((schema.properties ?? {}) as Record<string, TSchema>)
    .flatMap(([name, field]) => isId(field) ? [name] : [])

  return value => {
    if (value === undefined || isObject(value)) {
      for (const { name, code, unless } of required) {
        if (isBlank(value?.[name]) && (unless === undefined || isAbsent(value?.[unless]))) throw new AppError(code)
      }
    }
    compiled ??= TypeCompiler.Compile(schema)
    if (compiled.Check(value)) return withSmallIds(value, ids)
    const fault = compiled.Errors(value).First()!
    if (typeof fault.value === 'string' && fault.schema.whenInvalid) throw new AppError(fault.schema.whenInvalid as ErrorCode)
    throw new AppError(fallback, { detail: reason(fault.path, fault.message) })
  }
}

function withSmallIds<T> (value: T, ids: string[]): T {
  const fields = value as Record<string, string | null | undefined>
  const capital = ids.filter(name => fields[name] && fields[name] !== fields[name].toLowerCase())
  if (capital.length === 0) return value
  return { ...value, ...Object.fromEntries(capital.map(name => [name, fields[name]!.toLowerCase()])) }
}

function isId ({ pattern, anyOf = [] }: TSchema): boolean {
  return pattern === uuidPattern || (anyOf as TSchema[]).some(isId)
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isAbsent (value: unknown): value is undefined | null {
  return value === undefined || value === null
}

export function isBlank (value: unknown): boolean {
  return isAbsent(value) || (typeof value === 'string' && !/\S/.test(value))
}

function reason (path: string, message: string): string {
  const field = path.slice(1).replaceAll('/', '.')
  return field ? `${field}: ${message.toLowerCase()}` : message.toLowerCase()
}
