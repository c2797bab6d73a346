import type { TObject, TSchema } from '@sinclair/typebox'
import fp from 'fastify-plugin'
import { AppError } from '../errors.ts'
import { compile } from '../schemas/common.ts'

/** REST is checked by the same compiled schemas as the wire: nothing is coerced, no unknown field dropped. */
export default fp(async app => {
  // JSON is the only type spoken; fastify would take plain text too.
  app.removeContentTypeParser('text/plain')
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    const isQuery = httpPart === 'querystring' || httpPart === 'query'
    const check = compile(isQuery ? { ...schema, additionalProperties: false } : schema, 'invalid_request')
    const read = isQuery ? integersOf(schema as TObject) : (data: unknown) => data ?? (httpPart === 'body' ? {} : data)
    return data => {
      try {
        return { value: check(read(data)) }
      } catch (error) {
        if (error instanceof AppError) return { error }
        throw error
      }
    }
  })
  // What goes out is typed by the same schemas; shaping it again would cost time and could only hide a mistake.
  app.setSerializerCompiler(() => data => JSON.stringify(data))
}, { name: 'validation' })

/** A query string has only text: digits become a number where the schema wants one, anything else stays for the check to refuse. */
function integersOf (schema: TObject) {
  const names = Object.entries(schema.properties).filter(([, field]) => field.type === 'integer').map(([name]) => name)
  return (query: unknown) => {
    const values = { ...query as Record<string, unknown> }
    for (const name of names) {
      const value = values[name]
      if (typeof value === 'string' && /^\d+$/.test(value)) values[name] = Number(value)
    }
    return values
  }
}
