import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config-schema.ts'

/** The bundled app. The path leads there from the folder of the compiled file, `dist/src/routes`. */
const bundled = fileURLToPath(new URL('../../../web/dist/', import.meta.url))

/** Paths of the app's views. The app reads the rest of the path by itself. */
const VIEWS = [
  '/', '/browse', '/search', '/login', '/register', '/forgot', '/reset', '/verify', '/settings', '/admin', '/admin/*', '/c/:channel',
  '/c/:channel/m/:message', '/d/:user', '/d/:user/m/:message'
]

/**
 * Content security policy of the app, and of its workers. The page runs only its own scripts, calls only its own server, and turns no text
 * into HTML or into the address of a script, except for the addresses of its workers.
 */
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:", "worker-src 'self'",
  "manifest-src 'self'", "base-uri 'self'", "form-action 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
  'trusted-types parley parley-web'
].join('; ')

/**
 * Serves the web app: its views at their paths, its files under `/assets/` for ever and `/sw.js`. The addresses in the page are relative to
 * the requested path, so a proxy may serve the app under any path prefix that it removes.
 */
export default fp(async (app, { config }: { config: Config }) => {
  const [beforeBase, beforeFacts, rest] = readFileSync(`${bundled}index.html`, 'utf8').split(/\{base\}|\{facts\}/)
  const facts = escapeHtml(JSON.stringify(factsOf(config)))
  const page = (path: string): string => beforeBase + baseOf(path) + beforeFacts + facts + rest
  const protect = (reply: FastifyReply, headers = {}): void => {
    reply.headers({ 'content-security-policy': POLICY, 'cross-origin-opener-policy': 'same-origin', ...headers })
  }

  for (const url of VIEWS) {
    app.route({
      method: 'GET',
      url,
      schema: { hide: true },
      onSend: async (_request, reply) => { protect(reply, { 'cache-control': 'no-cache' }) },
      handler: async (request, reply) => reply.type('text/html; charset=utf-8').send(page(request.url))
    })
  }
  await app.register(async files => {
    files.addHook('onSend', async (_request, reply) => { protect(reply, { vary: 'accept-encoding' }) })
    await files.register(fastifyStatic, {
      root: `${bundled}assets`, prefix: '/assets/', preCompressed: true, immutable: true, maxAge: '1y', index: false, decorateReply: false
    })
    await files.register(fastifyStatic, { root: bundled, serve: false })
    files.get('/sw.js', { schema: { hide: true } }, async (_request, reply) => reply.sendFile('sw.js', { maxAge: 0 }))
  })
}, { name: 'web' })

/** The facts about this server that the app has to know before it connects. Everybody can read them. */
function factsOf ({ authentication, channels, users }: Config) {
  return {
    defaultRoom: channels.default_room,
    maxMessageLength: channels.max_message_length,
    registration: authentication.registration,
    guests: authentication.guests || !authentication.enabled,
    accounts: authentication.enabled,
    directory: users.directory
  }
}

/** Returns the path from a view to the root of the app, such as `../` for `/c/general`. */
function baseOf (url: string): string {
  const path = url.replace(/[?#].*$/s, '')
  return './' + '../'.repeat(path.split('/').length - 2)
}

function escapeHtml (text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}
