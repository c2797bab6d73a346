import type { FastifyPluginAsync, RouteOptions } from 'fastify'
import { Type, type TSchema } from '@sinclair/typebox'
import { answers, UserKey } from '../schemas/common.ts'
import type { CommandRow, Services } from '../requests/row.ts'
import { commands } from '../requests/table.ts'
import { hasTarget, resolveTarget, targetOf } from '../requests/target.ts'

/** REST routes for all channel commands, derived from their rows in the command table. */
const routes: FastifyPluginAsync<Services> = async (app, services) => {
  app.requireUser()
  for (const [name, row] of Object.entries(commands)) app.route(routeOf(name, row, services))
}

export default routes

function routeOf (operationId: string, { fields, result, rest, run }: CommandRow, services: Services): RouteOptions {
  const { route, tag, summary, status, without = [], self } = rest
  const [method, url] = route.split(' ') as [string, string]
  const inPath = [...url.matchAll(/:(\w+)/g)].map(([, name]) => ({ name: name!, field: fieldOf(name!) }))
  const hasBody = method !== 'DELETE'
  const elsewhere = [...without, ...inPath.flatMap(({ field }) => field === 'user_id' ? [field, 'handle'] : [field])]
  const schemaOf = (field: string): TSchema => field === 'user_id' ? UserKey : fields[field]!
  const inBody = Object.entries(fields).filter(([field]) => !elsewhere.includes(field))
  return {
    method,
    url,
    schema: {
      tags: [tag],
      security: [{ bearer: [] }],
      operationId,
      summary,
      ...inPath.length > 0 && { params: Type.Object(Object.fromEntries(inPath.map(({ name, field }) => [name, schemaOf(field)]))) },
      ...hasBody && { body: Type.Object(Object.fromEntries(inBody), { additionalProperties: false }) },
      response: answers(status, status === 204 ? Type.Null() : result)
    },
    async handler ({ actor, params, body }, reply) {
      const named: Record<string, unknown> = hasBody ? { ...body as object } : {}
      for (const { name, field } of inPath) {
        const value = (params as Record<string, string>)[name]!
        Object.assign(named, field === 'user_id' ? targetOf(value) : { [field]: value })
      }
      const given = hasTarget(fields) ? await resolveTarget(services, named) : named
      const answer = self && given.user_id === actor.userId
        ? await self(services, actor, given.channel as string)
        : await run(services, actor, given as never)
      return reply.code(status).send(status === 204 ? null : answer)
    }
  }
}

/** The field of a command that a parameter in a path stands for. */
function fieldOf (name: string): string {
  return name === 'name' ? 'channel' : name
}
