import { startServer } from './helper.ts'
import { t } from './tap.ts'

type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any

const server = await startServer(t)
const { status, body: document } = await server.call('GET', '/openapi.json')

/** What JSON Schema 2020-12 knows, as far as our schemas use it. */
const keywords = new Set([
  'type', 'properties', 'required', 'additionalProperties', 'minProperties', 'items', 'anyOf', 'const', 'enum',
  'pattern', 'format', 'default', 'description', 'examples', 'minimum', 'maximum', 'minLength', 'maxLength'
])

const operations = Object.entries(document.paths as Record<string, Json>).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ call: `${method.toUpperCase()} ${path}`, path, operation: operation as Json })))

/** Every keyword that is none of JSON Schema's, and every property that is required but not there. */
function faultsOf (schema: Json): string[] {
  const { properties = {}, required = [], items, anyOf = [], additionalProperties: others } = schema
  const children = [...Object.values(properties), ...anyOf, items, others].filter(child => typeof child === 'object')
  return [
    ...Object.keys(schema).filter(key => !keywords.has(key)),
    ...required.filter((name: string) => !(name in properties)).map((name: string) => `required ${name}`),
    ...children.flatMap(faultsOf)
  ]
}

t.test('openapi.json is a document of OpenAPI 3.1', async t => {
  t.equal(status, 200)
  t.equal(document.openapi, '3.1.0')
  t.match(document.info, { title: 'Parley', version: String })
  t.match(document.components.securitySchemes, { bearer: { type: 'http', scheme: 'bearer' } })
  for (const { call, path, operation } of operations) {
    t.match(operation, { summary: /./, tags: [String], responses: {} }, call)
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const parameters: Json[] = operation.parameters ?? []
    t.same(parameters.filter(each => each.in === 'path').map(({ name }) => name).sort(), inPath.sort(), `${call}: the path's parameters`)
    for (const { name, in: place, required, schema } of parameters) {
      t.match({ place, required, schema }, { place: /^(path|query)$/, required: place === 'path', schema: Object }, `${call} ${name}`)
    }
    const contents = Object.values(operation.responses as Json).flatMap(({ content = {} }) => Object.values(content as Json))
    const schemas = [
      ...parameters.map(({ schema }) => schema),
      ...operation.requestBody ? [operation.requestBody.content['application/json'].schema] : [],
      ...contents.map(({ schema }) => schema)
    ]
    t.same(schemas.flatMap(faultsOf), [], `${call}: nothing but JSON Schema`)
    for (const [code, response] of Object.entries(operation.responses as Json)) {
      t.match(code, /^([1-5]\d\d|[1-5]XX|default)$/, `${call}: response ${code}`)
      t.type(response.description, 'string')
    }
  }
})

t.test('openapi.json lists every route, with its body, its answer and its errors', async t => {
  const calls = operations.map(({ call }) => call)
  const one = '/api/channels/{name}'
  const expected = [
    'POST /api/auth/register', 'POST /api/auth/login', 'POST /api/auth/refresh', 'POST /api/auth/logout',
    'GET /api/me', 'PATCH /api/me', 'DELETE /api/me', 'GET /api/me/invitations', 'DELETE /api/me/invitations/{name}',
    'GET /api/channels', 'POST /api/channels', `GET ${one}`, `PATCH ${one}`, `DELETE ${one}`,
    'GET /api/channels/{name}/messages', 'POST /api/channels/{name}/messages',
    'PATCH /api/channels/{name}/messages/{id}', 'DELETE /api/channels/{name}/messages/{id}',
    'GET /api/channels/{name}/members', 'GET /api/channels/{name}/online',
    ...['members', 'bans', 'mutes', 'moderators'].flatMap(list => ['PUT', 'DELETE'].map(method => `${method} ${one}/${list}/{user_id}`)),
    ...['bans', 'mutes', 'moderators'].map(list => `GET ${one}/${list}`),
    'GET /api/admin/users', 'PATCH /api/admin/users/{id}', 'DELETE /api/admin/users/{id}', 'DELETE /api/admin/users/{id}/connections',
    'POST /api/admin/announcements', 'GET /api/admin/log',
    'GET /healthz', 'GET /readyz'
  ]
  t.same(expected.filter(call => !calls.includes(call)), [], 'none is missing')
  for (const { call, path, operation } of operations.filter(({ path }) => path.startsWith('/api/'))) {
    const codes = Object.keys(operation.responses)
    t.ok(codes.some(code => /^20\d$/.test(code)), `${call}: an answer`)
    const error = operation.responses['4XX'].content['application/json'].schema
    t.match(error.required, ['statusCode', 'error', 'code', 'message'], `${call}: errors`)
    if (!path.startsWith('/api/auth/')) t.same(operation.security, [{ bearer: [] }], `${call}: a bearer`)
    if (/^(POST|PATCH) /.test(call)) t.equal(operation.requestBody.content['application/json'].schema.type, 'object', `${call}: a body`)
  }
})

t.test('what a call answers is what its schema says', async t => {
  const ann = await server.enter('ann', 'general')
  await ann.request({ type: 'send_message', channel: 'general', message: 'x' })
  for (const path of ['', '/{name}', '/{name}/messages', '/{name}/members', '/{name}/online']) {
    const { schema } = document.paths[`/api/channels${path}`].get.responses['200'].content['application/json']
    const { body } = await server.call('GET', `/api/channels${path.replace('{name}', 'general')}`, { token: ann.person.access_token })
    t.same(Object.keys(body).sort(), Object.keys(schema.properties).sort(), path)
    for (const [name, { items }] of Object.entries(schema.properties as Json)) {
      if (items) t.same(Object.keys(body[name][0]).filter(key => !(key in items.properties)), [], `${path} ${name}`)
    }
  }
})

t.test('what /docs offers to try is taken as it is', async t => {
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

t.test('/docs can be browsed without any other server', async t => {
  const response = await fetch(`${server.origin}/docs/`)
  t.equal(response.status, 200)
  t.match(response.headers.get('content-type'), /^text\/html/)
  t.notMatch(await response.text(), /(src|href)="https?:/)
})
