import type { Announce, Presence } from '../../src/presence/presence.ts'
import { eventually } from '../eventually.ts'
import { ann, bob, channel, lobby, person } from '../presence/people.ts'
import { t, type Test } from '../tap.ts'

/** A presence and its announcements: `told` has entries such as `user_joined ann`, `scopes` the scope of each. */
export interface Watched { presence: Presence, told: string[], scopes: string[] }

export function watch (create: (announce: Announce) => Presence): Watched {
  const told: string[] = []
  const scopes: string[] = []
  const presence = create((type, _channel, user, scope) => {
    told.push(`${type} ${user.username}`)
    scopes.push(scope)
  })
  return { presence, told, scopes }
}

/** Tests what every presence does for its own instance. `create` makes a presence that shares nothing with others. */
export function testPresence (name: string, create: (announce: Announce) => Presence): void {
  const open = (test: Test) => {
    const watched = watch(create)
    test.teardown(() => watched.presence.close())
    return watched
  }

  t.test(`${name}: [P23] the first subscription of a user announces user_joined, the end of the last one user_left, each once`, async t => {
    const { presence, told } = open(t)
    presence.enter(lobby, ann)
    await eventually(() => told.length === 1)
    presence.enter(lobby, ann)
    presence.enter(lobby, bob)
    await eventually(() => told.length === 2)
    presence.exit(lobby, ann)
    presence.exit(lobby, ann)
    await eventually(() => told.length === 3)
    t.same(told, ['user_joined ann', 'user_joined bob', 'user_left ann'])
  })

  t.test(`${name}: a single join is announced within 200 ms`, async t => {
    const { presence, told } = open(t)
    await presence.list('lobby')
    presence.enter(lobby, ann)
    await eventually(() => told.length === 1, 200)
  })

  t.test(`${name}: a user who leaves and comes back at once is not announced`, async t => {
    const { presence, told } = open(t)
    presence.enter(lobby, ann)
    await eventually(() => told.length === 1)
    presence.exit(lobby, ann)
    t.same(await presence.list('lobby'), [], 'meanwhile the user is not listed')
    presence.enter(lobby, ann)
    t.same(await presence.list('lobby'), ['ann'])
    presence.enter(lobby, bob)
    presence.exit(lobby, bob)
    presence.enter(lobby, bob)
    await eventually(() => told.includes('user_joined bob'))
    presence.exit(lobby, bob)
    await eventually(() => told.includes('user_left bob'))
    t.same(told, ['user_joined ann', 'user_joined bob', 'user_left bob'])
  })

  t.test(`${name}: a list is in order of user id and includes every earlier change`, async t => {
    const { presence } = open(t)
    for (const id of ['c', 'a', 'd', 'b']) presence.enter(lobby, person(id))
    presence.exit(lobby, person('d'))
    t.same(await presence.list('lobby'), ['a', 'b', 'c'])
    t.same(await presence.list('empty'), [])
  })

  t.test(`${name}: counts are in the order of the channels asked for`, async t => {
    const { presence } = open(t)
    presence.enter(lobby, ann)
    presence.enter(lobby, bob)
    presence.enter(channel('den'), ann)
    t.same(await presence.counts(['den', 'empty', 'lobby']), [1, 0, 2])
    presence.exit(lobby, bob)
    t.same(await presence.counts(['lobby']), [1])
    t.same(await presence.counts([]), [])
  })

  t.test(`${name}: [P46] who is connected is known without a channel, announced to nobody and counted nowhere`, async t => {
    const { presence, told } = open(t)
    presence.connect(ann)
    presence.connect(bob)
    presence.connect(bob)
    presence.disconnect(bob)
    t.same([...await presence.connected(['bob', 'ann', 'cid'])], ['ann'])
    t.same([...await presence.connected([])], [])
    t.equal(presence.size, 0)
    presence.enter(lobby, bob)
    await eventually(() => told.length > 0)
    t.same(told, ['user_joined bob'])
    t.same([...await presence.connected(['bob'])], [], 'a channel does not count')
    presence.disconnect(ann)
    t.same([...await presence.connected(['ann'])], [])
  })

  t.test(`${name}: channels do not affect each other`, async t => {
    const { presence, told } = open(t)
    presence.enter(lobby, ann)
    presence.enter(channel('den'), ann)
    await eventually(() => told.length === 2)
    presence.exit(channel('den'), ann)
    await eventually(() => told.length === 3)
    t.same(await presence.list('lobby'), ['ann'])
  })

  t.test(`${name}: 2,000 users who join or leave at once are all counted and announced`, async t => {
    const { presence, told } = open(t)
    for (let i = 0; i < 2000; i++) presence.enter(lobby, person(`user-${i}`))
    await eventually(() => told.length === 2000)
    t.same(await presence.counts(['lobby']), [2000])
    for (let i = 0; i < 2000; i++) presence.exit(lobby, person(`user-${i}`))
    await eventually(() => told.length === 4000)
    t.same(await presence.counts(['lobby']), [0])
  })
}
