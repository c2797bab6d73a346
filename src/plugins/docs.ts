import { createHash } from 'node:crypto'
import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import { asyncApi, type AsyncApi } from '../requests/asyncapi.ts'
import { style, websocketPage } from './websocket-page.ts'
import { ErrorReply, ownKeywords } from '../schemas/common.ts'

/**
 * Content security policy of `/docs`: the page runs only its own scripts and calls only its own server. Its styles contain images as data
 * URLs. The hash is that of a style that its scripts create.
 */
const PAGE_POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': ["'self'", "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='"],
  'img-src': ["'self'", 'data:'],
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'"
}

/** Content security policy of `/docs/websocket`, which has no scripts. */
const STATIC_PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/**
 * Serves the OpenAPI document, made from the routes' schemas, at `/openapi.json` and a page for browsing it at `/docs`, and the AsyncAPI
 * document of `/websocket` at `/asyncapi.json` with its page at `/docs/websocket`. The pages need no other server. Register it before
 * the routes.
 */
export default fp(async app => {
  app.addSchema(ErrorReply)
  await app.register(fastifySwagger, {
    refResolver: { buildLocalReference: ({ $id }) => String($id) },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Parley',
        version: '1',
        license: { name: 'MIT', identifier: 'MIT' },
        description: 'REST beside the WebSocket at `/websocket`, which [a page of its own](/docs/websocket) describes. ' +
          'Errors: `{statusCode, error, code, message, retry_after_ms?}`.'
      },
      servers: [{ url: '/', description: 'This server' }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token, of login, register or refresh' }
        }
      }
    },
    transform: ({ schema, url }) => ({ schema: withoutOwnKeywords(schema) as typeof schema, url }),
    transformObject: made => 'openapiObject' in made ? withOptionalBodies(made.openapiObject) : made.swaggerObject
  })
  await app.register(fastifySwaggerUi, { routePrefix: '/docs', staticCSP: PAGE_POLICY })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  // The document is made when somebody asks for it first, because few servers are asked.
  let document: AsyncApi | undefined
  let page: string | undefined
  const documentOnce = (): AsyncApi => (document ??= asyncApi())
  app.get('/asyncapi.json', { schema: { hide: true } }, async () => documentOnce())
  app.route({
    method: 'GET',
    url: '/docs/websocket',
    schema: { hide: true },
    onSend: async (_request, reply) => { reply.header('content-security-policy', STATIC_PAGE_POLICY) },
    handler: async (_request, reply) => {
      page ??= websocketPage(documentOnce())
      return reply.type('text/html; charset=utf-8').send(page)
    }
  })
}, { name: 'docs' })

interface Operation { requestBody?: { required?: boolean, content: Record<string, { schema: { required?: string[] } }> } }

/** Says of each body without required fields that it may be left out. The plugin calls every body required. */
function withOptionalBodies<T extends { paths?: object }> (document: T): T {
  for (const item of Object.values(document.paths ?? {})) {
    for (const { requestBody: body } of Object.values<Operation>(item)) {
      if (body && !body.content['application/json']?.schema.required?.length) body.required = false
    }
  }
  return document
}

/** Copies a route's schema without the keywords that only the validation of this server understands. */
function withoutOwnKeywords (schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutOwnKeywords)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(Object.entries(schema)
    .filter(([key, value]) => !ownKeywords.includes(key) && !(key === 'format' && value === 'text'))
    .map(([key, value]) => [key, withoutOwnKeywords(value)]))
}
