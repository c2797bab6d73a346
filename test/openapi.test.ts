import { OptionalKind } from '@sinclair/typebox'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { errorTable } from '../src/errors.ts'
import type { CommandRow } from '../src/requests/row.ts'
import { commands } from '../src/requests/table.ts'
import { startServer } from './helper.ts'
import { shapes } from './openapi-shapes.ts'
import { routesOf } from './routes/routes.ts'
import { t } from './tap.ts'

type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any

// The web app is no part of the API.
const server = await startServer(t, { config: { web: { enabled: false } } })
const { status, body: document } = await server.call('GET', '/openapi.json')

/** The keywords of JSON Schema 2020-12 that our schemas use. */
const keywords = new Set([
  '$ref', 'type', 'properties', 'required', 'additionalProperties', 'minProperties', 'items', 'anyOf', 'const', 'enum',
  'pattern', 'format', 'default', 'description', 'examples', 'minimum', 'maximum', 'minLength', 'maxLength', 'maxItems'
])

const operations = Object.entries(document.paths as Record<string, Json>).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ call: `${method.toUpperCase()} ${path}`, path, operation: operation as Json })))

/** Lists every keyword that JSON Schema does not have, and every required property that the schema does not define. */
function faultsOf (schema: Json): string[] {
  const { properties = {}, required = [], items, anyOf = [], additionalProperties: others } = schema
  const children = [...Object.values(properties), ...anyOf, items, others].filter(child => typeof child === 'object')
  return [
    ...Object.keys(schema).filter(key => !keywords.has(key)),
    ...required.filter((name: string) => !(name in properties)).map((name: string) => `required ${name}`),
    ...children.flatMap(faultsOf)
  ]
}

t.test('openapi.json is an OpenAPI 3.1 document', async t => {
  t.equal(status, 200)
  t.equal(document.openapi, '3.1.0')
  t.match(document.info, { title: 'Parley', version: String })
  t.match(document.components.securitySchemes, { bearer: { type: 'http', scheme: 'bearer' } })
  for (const { call, path, operation } of operations) {
    t.match(operation, { summary: /./, tags: [String], responses: {} }, call)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const parameters: Json[] = operation.parameters ?? []
    t.same(parameters.filter(each => each.in === 'path').map(({ name }) => name).sort(), inPath.sort(), `${call}: parameters of the path`)
    for (const { name, in: place, required, schema } of parameters) {
      const isRequired = place === 'path' || (name === 'query' && path.endsWith('/messages'))
      t.match({ place, required, schema }, { place: /^(path|query)$/, required: isRequired, schema: Object }, `${call} ${name}`)
    }
    const contents = Object.values(operation.responses as Json).flatMap(({ content = {} }) => Object.values(content as Json))
    const schemas = [
      ...parameters.map(({ schema }) => schema),
      ...operation.requestBody ? [operation.requestBody.content['application/json'].schema] : [],
      ...contents.map(({ schema }) => schema)
    ]
    t.same(schemas.flatMap(faultsOf), [], `${call}: only keywords of JSON Schema`)
    for (const [code, response] of Object.entries(operation.responses as Json)) {
      t.match(code, /^([1-5]\d\d|[1-5]XX|default)$/, `${call}: response ${code}`)
      t.type(response.description, 'string')
    }
  }
})

/** Writes the fields of a schema in the short form that `shapes` uses. */
function shapeOf (schema: Json): string {
  const { type, properties, required = [], items, anyOf } = schema
  if (anyOf) return anyOf.map(shapeOf).find(Boolean) ?? ''
  if (type === 'array') return `[${shapeOf(items)}]`
  if (type !== 'object') return ''
  const fields = Object.entries(properties as Record<string, Json>).map(([name, field]) =>
    `${name}${required.includes(name) ? '' : '?'} ${shapeOf(field)}`.trimEnd())
  return `{ ${fields.join(', ')} }`
}

const contentOf = ({ content }: Json): string => content?.['application/json'] ? shapeOf(content['application/json'].schema) : ''
/** The schema of errors, to which every route refers. */
const isError = ({ content }: Json): boolean => content['application/json'].schema.$ref === '#/components/schemas/ErrorReply'

t.test('openapi.json has exactly the routes of the application, each with its parameters, body, answers and errors', async t => {
  const { ErrorReply } = document.components.schemas
  t.equal(shapeOf(ErrorReply), '{ statusCode, error, code, message, retry_after_ms? }')
  t.same(ErrorReply.properties.code.enum, Object.keys(errorTable))
  const found = Object.fromEntries(operations.map(({ call, operation }) => {
    const { parameters = [], requestBody, responses } = operation
    const query = parameters.filter((each: Json) => each.in === 'query').map((each: Json) => each.name).join(' ')
    const answers = Object.fromEntries(Object.entries(responses as Record<string, Json>)
      .map(([code, response]) => [code, /XX$/.test(code) ? isError(response) : contentOf(response)]))
    return [call, { ...query !== '' && { query }, ...requestBody && { body: contentOf(requestBody) }, answers }]
  }))
  const expected = { ...shapes, ...Object.fromEntries(Object.values(commands).map(shapeOfCommand)) }
  const withErrors = Object.fromEntries(Object.entries(expected).map(([call, shape]) =>
    [call, call.includes(' /api/') ? { ...shape, answers: { ...shape.answers, '4XX': true, '5XX': true } } : shape]))
  t.same(found, withErrors)

  const hidden = ['/asyncapi.json', '/docs', '/metrics', '/openapi.json', '/websocket']
  const served = routesOf(server.app).filter(({ method, url }) =>
    !['HEAD', 'OPTIONS'].includes(method) && !hidden.some(path => url === path || url.startsWith(`${path}/`)))
  t.same(served.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`).sort(), Object.keys(found).sort())
})

/** Derives the expected route of a command, with its body and answers, from the row of the command table. */
function shapeOfCommand ({ fields, result, rest: { route, status, without = [] } }: CommandRow) {
  const call = route.replace(/:(\w+)/g, '{$1}')
  const inPath = [...route.matchAll(/:(\w+)/g)].flatMap(([, name]) =>
    name === 'name' ? ['channel'] : name === 'user_id' ? [name, 'handle'] : [name])
  const body = Object.entries(fields).filter(([name]) => !inPath.includes(name) && !without.includes(name))
    .map(([name, field]) => field[OptionalKind] ? `${name}?` : name)
  const answers = { [status]: status === 204 ? '' : shapeOf(result) }
  return [call, { ...!route.startsWith('DELETE ') && { body: `{ ${body.join(', ')} }` }, answers }] as const
}

t.test('openapi.json passes the linter', async t => {
  const config = await createConfig({ extends: ['recommended'], rules: { 'operation-4xx-response': 'off' } })
  const problems = await lintFromString({ source: JSON.stringify(document), config })
  t.same(problems.map(({ severity, message, location: [place] }) => `${severity}: ${message} at ${place?.pointer}`), [])
})

t.test('openapi.json requires a bearer token for exactly the routes that need one', async t => {
  for (const { call, path, operation } of operations) {
    t.same(operation.security, /^\/api\/(?!auth\/)/.test(path) ? [{ bearer: [] }] : [], call)
  }
})

t.test('the answers about channels have the fields of their schemas', async t => {
  const ann = await server.enter('ann', 'general')
  await ann.request({ type: 'send_message', channel: 'general', message: 'x' })
  for (const path of ['', '/{name}', '/{name}/messages', '/{name}/members', '/{name}/online']) {
    const { schema } = document.paths[`/api/channels${path}`].get.responses['200'].content['application/json']
    const { body } = await server.call('GET', `/api/channels${path.replace('{name}', 'general')}`, { token: ann.person.access_token })
    t.same(Object.keys(body).sort(), schema.required.sort(), path)
    for (const [name, { items }] of Object.entries(schema.properties as Json)) {
      if (items) t.same(Object.keys(body[name][0]).filter(key => !(key in items.properties)), [], `${path} ${name}`)
    }
  }
})

t.test('the server accepts the example bodies that /docs offers', async t => {
  const example = (path: string): object => {
    const { properties } = document.paths[path].post.requestBody.content['application/json'].schema
    const fields = Object.entries(properties as Json).filter(([, { examples }]) => examples)
    return Object.fromEntries(fields.map(([name, { examples: [first] }]) => [name, first]))
  }
  const post = (path: string, token?: string) =>
    server.call('POST', path.replace('{name}', 'general'), { token, body: example(path) })
  t.equal((await post('/api/auth/register')).status, 201)
  const { status, body } = await post('/api/auth/login')
  t.equal(status, 200)
  await server.call('PUT', `/api/channels/general/members/${body.user.id}`, { token: body.access_token })
  t.equal((await post('/api/channels/{name}/messages', body.access_token)).status, 201)
})

t.test('/docs loads nothing from other servers', async t => {
  const response = await fetch(`${server.origin}/docs/`)
  t.equal(response.status, 200)
  t.match(response.headers.get('content-type'), /^text\/html/)
  t.notMatch(await response.text(), /(src|href)="https?:/)
})
