import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { root } from '../scripts/root.ts'

interface Operation { operationId: string, responses: Record<string, { content?: Record<string, { schema: object }> }> }

const document: { paths: Record<string, Record<string, Operation>>, components: object } =
  JSON.parse(readFileSync(join(root, 'docs/openapi.json'), 'utf8'))
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
  .addSchema(closed({ components: document.components }) as object, 'document')

/** Every operation of docs/openapi.json. Names in paths come before parameters, as `/api/users/me` would come before `/api/users/{id}`. */
const operations = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) =>
  ({ method: method.toUpperCase(), pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`), ...operation })))

/** The ids of all operations of docs/openapi.json. */
export const operationIds = operations.map(({ operationId }) => operationId)

/** Returns the operation that a request calls; undefined for a route that is not in the document. */
export function operationOf (method: string, url: string) {
  const path = url.split('?')[0]!
  return operations.find(operation => operation.method === method && operation.pattern.test(path))
}

/** The compiled schemas of replies, each made when it judges its first reply. */
const checks = new Map<object, ValidateFunction>()

/** Throws if docs/openapi.json does not describe this reply exactly: its status, and each field of its JSON body. */
export function checkDocumented (method: string, url: string, status: number, body: unknown): void {
  const operation = operationOf(method, url)
  if (!operation) return
  const answer = operation.responses[status] ?? operation.responses[`${Math.floor(status / 100)}XX`]
  const faults = answer ? faultsOf(body, answer.content?.['application/json']?.schema) : `status ${status}`
  if (faults !== '') throw new Error(`docs/openapi.json does not describe the reply to ${method} ${url}: ${faults}`)
}

/** Says what a reply has that its schema does not allow, and what it lacks; an empty text: nothing. Without a schema there is no body. */
function faultsOf (body: unknown, schema: object | undefined): string {
  if (schema === undefined) return body === null ? '' : 'body'
  const check = checks.get(schema) ?? ajv.compile(closed(schema) as object)
  checks.set(schema, check)
  if (check(body)) return ''
  return check.errors!.map(({ instancePath, message, params }) => `body${instancePath} ${message} ${JSON.stringify(params)}`).join(', ')
}

/** Copies a schema so that its objects may have no other fields than those that it names, and refers to the components of the document. */
function closed (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, closed(item)]))
  if (typeof copy.$ref === 'string') copy.$ref = copy.$ref.replace(/^#/, 'document#')
  return copy.type === 'object' && copy.additionalProperties === undefined ? { ...copy, additionalProperties: false } : copy
}
