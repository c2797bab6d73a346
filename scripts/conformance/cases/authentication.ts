import { setTimeout as delay } from 'node:timers/promises'
import { say, type Case } from '../stage.ts'
import { check, Deviation, Withheld } from '../verdict.ts'

/** Milliseconds that a connection has to authenticate, by default. */
const AUTHENTICATION_TIMEOUT = 10_000

/** Cases about the user of a connection, and about requests before there is one. */
export const cases: Case[] = [
  {
    rule: 'P11',
    title: 'a connection that does not authenticate closes with 4500',
    async run ({ open, deadline }) {
      const connection = open()
      await connection.opened()
      await connection.closes(4500, 'without authentication', AUTHENTICATION_TIMEOUT + deadline)
    }
  },
  {
    rule: 'P10',
    title: 'before authentication only authenticate and heartbeat are answered',
    async run ({ open, run }) {
      const connection = open()
      await connection.opened()
      for (const request of [{ type: 'join_channel', channel: run }, { type: 'channel_list' }, { command: 'create_channel', name: run }]) {
        await connection.mustNot(request, 'not_authenticated')
      }
      const reply = await connection.ask({ type: 'heartbeat' })
      check(reply.type === 'heartbeat_ack', 'heartbeat_ack', reply)
    }
  },
  {
    rule: 'P12',
    title: 'a bad token is authentication_failed, an empty one token_required, and the connection stays open',
    async run ({ ann, open, rest }) {
      const connection = open()
      await connection.opened()
      const foreign = `${ann.token.slice(0, -6)}AAAAAA`
      const bad = ['nonsense', foreign, ...ann.refreshToken ? [ann.refreshToken] : []]
      for (const token of bad) await connection.mustNot({ type: 'authenticate', token }, 'authentication_failed')
      await connection.mustNot({ type: 'authenticate', token: '' }, 'token_required')
      const data = await connection.must({ type: 'authenticate', token: ann.token })
      check(data.user_id === ann.id, 'the user of a good token', data)
      for (const token of bad) {
        const { status } = await rest.call('GET', '/api/me', { token })
        check(status === 401, 'HTTP 401 to a bad token', `HTTP ${status}`)
      }
    }
  },
  {
    rule: 'P13',
    title: 'a token of the same user extends the connection, one of another user is refused',
    async run ({ ann, ben, connect }) {
      const connection = await connect(ann)
      const data = await connection.must({ type: 'authenticate', token: ann.token })
      check(data.user_id === ann.id, 'the same user', data)
      await connection.mustNot({ type: 'authenticate', token: ben.token }, 'not_authorized')
    }
  },
  {
    rule: 'P15',
    title: 'disabling a user closes all their connections with 4503, and their token fails',
    async run ({ people, connect, open, rest }) {
      const admin = people.admin()
      const person = await people.register('dis')
      const connections = await Promise.all([connect(person), connect(person)])
      await rest.must('PATCH', `/api/admin/users/${person.id}`, { token: admin.token, body: { disabled: true } })
      for (const connection of connections) await connection.closes(4503, 'once disabled')
      const late = open()
      await late.opened()
      await late.mustNot({ type: 'authenticate', token: person.token }, 'authentication_failed')
      // An enabled account can be erased at the end of the run.
      await rest.must('PATCH', `/api/admin/users/${person.id}`, { token: admin.token, body: { disabled: false } })
    }
  },
  {
    rule: 'P16',
    title: 'who authenticates without a token is a guest: of role user, in public channels only, without commands',
    async run (stage) {
      const guest = stage.open()
      await guest.opened()
      const reply = await guest.ask({ type: 'authenticate' })
      if (reply.code === 'token_required') throw new Withheld('not offered', 'the server admits no guests')
      const { data } = reply
      const isGuest = data?.email === null && data.handle === null && data.role === 'user' && /^guest-\w{6}$/.test(data.username)
      check(isGuest, 'a guest without email and handle, named guest-xxxxxx', reply)
      const host = await stage.connect(stage.ann)
      const open = await stage.channel(stage.ann, host)
      const secret = await stage.channel(stage.ann, host, [], { channel_type: 'private' })
      await guest.must({ type: 'join_channel', channel: open.name })
      await say(guest, open.name, 'hello')
      await guest.mustNot({ type: 'join_channel', channel: secret.name }, 'channel_not_found')
      await guest.mustNot({ command: 'create_channel', name: stage.name() }, 'not_authorized')
      guest.close()
      await vanishes(stage.deadline, async () => {
        const { members } = await stage.rest.must('GET', `/api/channels/${open.name}/members`, { token: stage.ann.token })
        return !members.some(({ user_id: id }: { user_id: string }) => id === data.user_id)
      })
    }
  }
]

async function vanishes (within: number, isGone: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + within
  while (!await isGone()) {
    if (performance.now() > end) throw new Deviation('a guest\'s membership to end with the connection', 'the guest is still a member')
    await delay(100)
  }
}
