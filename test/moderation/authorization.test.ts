import { uuidv7 } from 'uuidv7'
import { commands, type CommandName } from '../../src/requests/table.ts'
import type { Role } from '../../src/schemas/common.ts'
import type { Client, Frame } from '../client.ts'
import { startServer } from '../helper.ts'
import { urlOf } from '../routes/routes.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import {
  acts, fits, isMember, kinds, relationsOf, roleOfOther, standings, types, verdict, type Act, type Case, type Kind
} from './contract.ts'

const server = await startServer(t, {
  config: { authentication: { enabled: false }, channels: { max_channels_per_user: 0 }, limits: { enabled: false } }
})
const { prisma } = server.database
const rows = createRows(server.database)

/** A case with its channel and the ids for its request. A case that changes something has a channel of its own. */
interface Trial { case: Case, channelId: string, channel: string, targetId: string, messageId: string, reportId: string }
interface Actor { id: string, token: string | undefined, clients: Client[] }

/** Connections of each actor. There are several because the requests of one connection take effect one after another. */
const CONNECTIONS = 8
const actors = {} as Record<Kind, Actor>
for (const kind of kinds) actors[kind] = kind === 'guest' ? await makeGuest() : await makeActor(kind)

async function makeGuest (): Promise<Actor> {
  const client = await server.connect()
  const { data } = await client.request({ type: 'authenticate' })
  return { id: data.user_id, token: undefined, clients: [client] }
}

async function makeActor (role: Role): Promise<Actor> {
  const person = await server.register(role)
  await rows.role(person, role)
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => server.login(person)))
  return { id: person.user.id, token: person.access_token, clients }
}

/** The users whom acts are about, besides the actors: peers of each role, and creators of channels. */
const others = { peer: await makePeople('peer'), creator: await makePeople('creator') }

async function makePeople (name: string): Promise<Record<Role, string>> {
  const people = { user: uuidv7(), moderator: uuidv7(), admin: uuidv7() }
  const data = Object.entries(people).map(([role, id]) => ({ id, name, email: `${name}-${role}@example.org`, role: role as Role }))
  await prisma.user.createMany({ data })
  return people
}

/** Every possible case. A member whose role may not join the channel is not possible, because such a role ends memberships [P15]. */
function * cases (kind: Kind): Generator<Case> {
  for (const type of types) {
    for (const standing of standings) {
      if (standing === 'member' && !fits(kind, type)) continue
      if (kind === 'guest' && (standing === 'creator' || standing === 'moderator')) continue
      for (const act of Object.keys(acts) as Act[]) {
        const relations = acts[act].isAboutSomeone ? relationsOf(kind, standing) : ['self' as const]
        for (const relation of relations) yield { type, kind, standing, act, relation }
      }
    }
  }
}

/** Creates a channel for each case that is allowed, and shared channels for the refused cases of the same type and standing. */
async function arrange (wanted: Case[], transport: 'rest' | 'wire'): Promise<Trial[]> {
  const shared = new Map<string, string>()
  const channels: Array<{ id: string, [column: string]: unknown }> = []
  const made: Record<string, object[]> = {
    ChannelUser: [], ChannelModerator: [], ChannelInvite: [], ChannelBan: [], Message: [], Report: []
  }
  const seqOf = new Map<string, number>()
  const trials = wanted.map((c): Trial => {
    const actorId = actors[c.kind].id
    const creatorId = c.standing === 'creator' ? actorId : others.creator[roleOfOther({ ...c, relation: 'creator' })]
    const targetId = c.relation === 'self' ? actorId : c.relation === 'creator' ? creatorId : others.peer[roleOfOther(c)]
    const key = `${c.type} ${c.standing}`
    const isRefused = verdict(c, transport) !== 'ok'
    let channelId = isRefused ? shared.get(key) : undefined
    if (channelId === undefined) {
      channelId = uuidv7()
      if (isRefused) shared.set(key, channelId)
      const row = { channelId, userId: actorId }
      const userCount = isMember(c) ? 1 : 0
      channels.push({ id: channelId, name: `c-${channelId}`, channelType: c.type, createdBy: creatorId, userCount })
      if (isMember(c)) made.ChannelUser!.push(row)
      if (c.standing === 'creator' || c.standing === 'moderator') made.ChannelModerator!.push(row)
      if (c.standing === 'invited') made.ChannelInvite!.push({ ...row, invitedBy: creatorId })
      if (c.standing === 'banned') made.ChannelBan!.push({ ...row, bannedBy: creatorId })
    }
    const messageId = uuidv7()
    if (c.act === 'message' || 'id' in (commands[c.act as CommandName]?.fields ?? {})) {
      const seq = (seqOf.get(channelId) ?? 0) + 1
      seqOf.set(channelId, seq)
      made.Message!.push({ channelId, seq, id: messageId, userId: targetId, content: 'theirs', createdAt: new Date() })
    }
    const reportId = uuidv7()
    if (c.act === 'settle_report') {
      const [now, userId] = [new Date(), others.peer.user]
      const report = { id: reportId, channelId, channelName: `c-${channelId}`, messageId, seq: 1, sentAt: now, createdAt: now }
      made.Report!.push({ ...report, authorId: userId, content: 'theirs', reporterId: userId })
    }
    return { case: c, channelId, channel: `c-${channelId}`, targetId, messageId, reportId }
  })
  await insert('Channel', channels.map(channel => ({ ...channel, lastSeq: seqOf.get(channel.id) ?? 0 })))
  for (const [table, data] of Object.entries(made)) await insert(table, data)
  return trials
}

/** Inserts rows that have the same columns. Prisma would take several times as long for so many. */
async function insert (table: string, data: object[]): Promise<void> {
  if (data.length === 0) return
  const columns = Object.keys(data[0]!).map(name => `"${name}"`).join()
  const text = `INSERT INTO "${table}" (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::"${table}", $1)`
  await server.database.query(text, [JSON.stringify(data)])
}

/** The frame that makes this request, or undefined if only REST has it. */
function frameOf ({ case: { act }, channel, targetId, messageId }: Trial): object | undefined {
  switch (act) {
    case 'join': return { type: 'join_channel', channel }
    case 'leave': return { type: 'leave_channel', channel }
    case 'send': return { type: 'send_message', channel, message: 'x' }
    case 'signal': return { type: 'signal', channel, event: 'typing' }
    case 'online': return { type: 'user_list', channel }
  }
  const row = commands[act as CommandName]
  return row && { type: 'command', command: act, channel, user_id: targetId, id: messageId, message: 'x', topic: 'x', reaction: 'x' }
}

type Call = ['GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE', string, object?]

/** The REST call that makes this request, or undefined if there is none. */
function callOf ({ case: { act, relation }, channel, targetId, messageId, reportId }: Trial): Call | undefined {
  const at = `/api/channels/${channel}`
  switch (act) {
    case 'join': return ['PUT', `${at}/members/${targetId}`]
    case 'leave': return ['DELETE', `${at}/members/${targetId}`]
    case 'send': return ['POST', `${at}/messages`, { message: 'x' }]
    case 'signal': return ['POST', `${at}/signals`, { event: 'typing' }]
    case 'history': return ['GET', `${at}/messages`]
    case 'message': return ['GET', `${at}/messages/${messageId}`]
    case 'members': case 'online': case 'moderators': case 'bans': case 'mutes': case 'log': case 'reports':
      return ['GET', `${at}/${act}`]
    case 'settle_report': return ['PATCH', `${at}/reports/${reportId}`, { resolution: 'dismissed' }]
    case 'make_private': return ['PATCH', at, { channel_type: 'private' }]
    case 'make_admin': return ['PATCH', at, { channel_type: 'admin' }]
  }
  const { rest: { route, self }, fields } = commands[act]
  if (self && relation === 'self') return undefined
  const method = route.split(' ')[0] as Call[0]
  const url = urlOf(route, { channel, user_id: targetId, id: messageId, reaction: 'x' })
  const body = Object.fromEntries(['message', 'topic'].filter(name => name in fields).map(name => [name, 'x']))
  return method === 'DELETE' ? [method, url] : [method, url, body]
}

async function askRest (kind: Kind, trial: Trial): Promise<string> {
  const [method, url, body] = callOf(trial)!
  const reply = await server.app.inject({ method, url, headers: { authorization: `Bearer ${actors[kind].token}` }, ...body && { body } })
  return reply.statusCode < 300 ? 'ok' : reply.json().code
}

async function askWire (kind: Kind, trial: Trial, turn: number): Promise<string> {
  const { clients } = actors[kind]
  const reply: Frame = await clients[turn % clients.length]!.exchange(frameOf(trial)!)
  return reply.type === 'error' ? reply.code : 'ok'
}

for (const kind of kinds) {
  for (const transport of kind === 'guest' ? ['wire'] as const : ['wire', 'rest'] as const) {
    const who = kind === 'guest' ? 'a guest' : `the role ${kind}`
    t.test(`[P9] [P16] [P18] [P19] ${who} may do over ${transport} exactly what the protocol allows, in every channel`, async t => {
      const placeless = { channelId: '', channel: '', targetId: '', messageId: '', reportId: '' }
      const asks = (c: Case): boolean => (transport === 'wire' ? frameOf : callOf)({ case: c, ...placeless }) !== undefined
      const trials = await arrange([...cases(kind)].filter(asks), transport)
      const wrong: string[] = []
      for (let at = 0; at < trials.length; at += 50) {
        await Promise.all(trials.slice(at, at + 50).map(async (trial, turn) => {
          const { type, standing, act, relation } = trial.case
          const got = await (transport === 'wire' ? askWire : askRest)(kind, trial, turn)
          const right = verdict(trial.case, transport)
          if (got !== right) wrong.push(`${standing} in ${type}: ${act} ${acts[act].isAboutSomeone ? relation : ''}: ${got}, not ${right}`)
        }))
      }
      t.same(wrong, [], `${trials.length} cases`)
    })
  }
}

t.test('[P15] [P16] none of the requests above caused an internal error', async t => {
  t.same(server.lines.filter(line => JSON.parse(line).level >= 50), [])
})
