import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { AppError, type ErrorCode } from '../errors.ts'

/** Fastify's own errors, and the codes that clients get for them. */
const fastifyErrors: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_NOT_FOUND: 'not_found'
}

type IsTold = (error: AppError) => boolean

/** Answers every failed request in fastify's format, with codes and texts of the error table. `isTold`: the error is logged already. */
export default fp(async (app, { isTold }: { isTold?: IsTold }) => {
  app.setErrorHandler<FastifyError>((error, request, reply) => sendError(error, request, reply, isTold))
  app.setNotFoundHandler((request, reply) => sendError(new AppError('not_found'), request, reply))
}, { name: 'errors' })

/** Answers a failed request. It is also fastify's `frameworkErrors`, because a URL that cannot be read reaches no error handler. */
export function sendError (
  error: FastifyError | AppError | Error, request: FastifyRequest, reply: FastifyReply, isTold: IsTold = () => false
): void {
  const shown = toAppError(error)
  if (shown.code === 'internal') request.log.error({ err: error }, 'request failed')
  else if (shown.statusCode >= 500 && !isTold(shown)) request.log.warn({ err: error.cause ?? error }, shown.message)
  const { statusCode, code, message, retryAfterMs } = shown
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1000)))
  if (statusCode === 401) reply.header('www-authenticate', 'Bearer')
  reply.code(statusCode).type('application/json; charset=utf-8').serializer(JSON.stringify).send({
    statusCode,
    error: STATUS_CODES[statusCode],
    code,
    message,
    ...retryAfterMs !== undefined && { retry_after_ms: Math.ceil(retryAfterMs) }
  })
}

function toAppError (error: Error & { code?: string, statusCode?: number }): AppError {
  if (error instanceof AppError) return error
  const known = fastifyErrors[error.code ?? '']
  if (known) return new AppError(known)
  if (error instanceof SyntaxError && error.statusCode === 400) return new AppError('invalid_json')
  if (error.statusCode === 413) return new AppError('payload_too_large')
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new AppError('invalid_request', { detail: STATUS_CODES[error.statusCode]?.toLowerCase() ?? 'malformed' })
  }
  return new AppError('internal')
}
