import { Type, type Static } from '@sinclair/typebox'

export const Health = Type.Object({ status: Type.Literal('ok') }, { $id: 'Health' })

function words<const T extends string> (values: T[], description: string) {
  return Type.Union(values.map(value => Type.Literal(value)), { description })
}

export const Readiness = Type.Object({
  status: words(['ready', 'draining', 'unavailable'], 'draining: the instance ends'),
  database: words(['up', 'down', 'full', 'outdated', 'unknown'],
    'full: its disk has no room; outdated: migrations of this code are missing; unknown: the instance ends'),
  bus: words(['up', 'degraded'], 'degraded: delivery goes on, by catching up with the database')
}, { $id: 'Readiness' })
export type Readiness = Static<typeof Readiness>
