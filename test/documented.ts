import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../scripts/root.ts'

interface Schema {
  $ref?: string
  type?: string
  enum?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  additionalProperties?: boolean | Schema
}

interface Operation { operationId: string, responses: Record<string, { content?: Record<string, { schema: Schema }> }> }

const document: { paths: Record<string, Record<string, Operation>>, components: { schemas: Record<string, Schema> } } =
  JSON.parse(readFileSync(join(root, 'docs/openapi.json'), 'utf8'))

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

/** Throws if docs/openapi.json does not describe this reply exactly: its status, and each field of its JSON body. */
export function checkDocumented (method: string, url: string, status: number, body: unknown): void {
  const operation = operationOf(method, url)
  if (!operation) return
  const answer = operation.responses[status] ?? operation.responses[`${Math.floor(status / 100)}XX`]
  const faults = answer ? faultsOf(body, answer.content?.['application/json']?.schema, 'body') : [`status ${status}`]
  if (faults.length > 0) throw new Error(`docs/openapi.json does not describe the reply to ${method} ${url}: ${faults.join(', ')}`)
}

/** Lists what a value has that its schema does not allow, and what it lacks. A reply without a schema has no body. */
function faultsOf (value: unknown, schema: Schema | undefined, place: string): string[] {
  if (schema === undefined) return value === null ? [] : [place]
  if (schema.$ref !== undefined) return faultsOf(value, document.components.schemas[schema.$ref.split('/').at(-1)!]!, place)
  if (schema.anyOf) {
    const each = schema.anyOf.map(one => faultsOf(value, one, place))
    return each.some(faults => faults.length === 0) ? [] : each.toSorted((a, b) => a.length - b.length)[0]!
  }
  if (schema.enum && !schema.enum.includes(value)) return [`${place} is ${JSON.stringify(value)}`]
  if (schema.type === undefined) return []
  if (!isOfType(value, schema.type)) return [`${place} is no ${schema.type}`]
  if (Array.isArray(value)) return value.flatMap((item, i) => faultsOf(item, schema.items ?? {}, `${place}[${i}]`))
  return schema.type === 'object' ? faultsOfObject(value as Record<string, unknown>, schema, place) : []
}

function faultsOfObject (value: Record<string, unknown>, schema: Schema, place: string): string[] {
  const { properties = {}, required = [], additionalProperties } = schema
  return [
    ...required.filter(name => !(name in value)).map(name => `${place}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, field]) => {
      const known = properties[name] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
      if (known === undefined) return additionalProperties === true ? [] : [`${place}.${name} is unknown`]
      return faultsOf(field, known, `${place}.${name}`)
    })
  ]
}

function isOfType (value: unknown, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return type === 'integer' ? Number.isInteger(value) : typeof value === type // eslint-disable-line valid-typeof
}
