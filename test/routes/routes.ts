import type { FastifyInstance } from 'fastify'

/** Lists the routes of the application, parsed from the tree that fastify's `printRoutes` prints. */
export function routesOf (app: FastifyInstance): Array<{ method: string, url: string }> {
  const above: string[] = []
  return app.printRoutes({ commonPrefix: false }).split('\n').flatMap(line => {
    const [, indent, part, methods = ''] = /^((?:[│ ] {3})*)[├└]── (\S*)(?: \((.*)\))?/.exec(line) ?? []
    if (indent === undefined || part === undefined) return []
    const depth = indent.length / 4
    above.splice(depth, Infinity, part)
    return methods.split(', ').filter(Boolean).map(method => ({ method, url: above.join('') }))
  })
}
