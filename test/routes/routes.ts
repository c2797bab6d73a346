import type { FastifyInstance } from 'fastify'

/** The URL of a route of the table (`METHOD path`), with the values of a command's fields in its path. */
export function urlOf (
  route: string, { channel, user_id: userId, id, reaction }: { channel?: unknown, user_id?: unknown, id?: unknown, reaction?: unknown }
): string {
  const url = route.split(' ')[1]!.replace(':name', `${channel}`).replace(':user_id', `${userId}`).replace(':id', `${id}`)
  return url.replace(':reaction', encodeURIComponent(`${reaction}`))
}

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
